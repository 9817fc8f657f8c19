"""At medium and large the pods of a replicated workload behind a Service are spread over the nodes."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import pod_of

CODE = "spread"


def findings(manifest: Manifest, component: CheckedComponent) -> Iterator[Finding]:
    body = manifest.body
    if not (component.must_be_available(body) and component.is_replicated(body)):
        return
    pod = mapping(pod_of(body))
    if not pod.get("topologySpreadConstraints") and not mapping(pod.get("affinity")).get("podAntiAffinity"):
        fix = "set `topologySpreadConstraints` or a `podAntiAffinity` in the values"
        yield report.warning(manifest, CODE, "all its pods may run on one node", fix=fix)
