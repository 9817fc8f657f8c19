"""Services are reachable from outside of the cluster only where that is meant."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import report
from cluster_forge.checks.production.checked_component import CheckedComponent
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE = "service-type"


def findings(manifest: Manifest, _: CheckedComponent) -> Iterator[Finding]:
    if manifest.id.kind != "Service":
        return
    service_type = (manifest.body.get("spec") or {}).get("type")
    if service_type in ("NodePort", "LoadBalancer"):
        fix = "set the Service's type to ClusterIP in the values, or add an exception that says why it is reachable"
        yield report.warning(manifest, CODE, f"the Service's type is {service_type}", fix=fix)
