"""At medium and large a PodDisruptionBudget selects the pods of a replicated workload behind a Service."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE = "disruption-budget"


def findings(manifest: Manifest, component: CheckedComponent) -> Iterator[Finding]:
    body = manifest.body
    if component.must_be_available(body) and component.is_replicated(body) and not component.has_budget(body):
        fix = "switch on the chart's PodDisruptionBudget, or add one to `objects`"
        yield report.warning(manifest, CODE, "no PodDisruptionBudget selects its pods", fix=fix)
