"""ServiceMonitors select a Service that has the port that they scrape."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks.inventory import Inventory, spec_of
from cluster_forge.checks.references import missing, monitored
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    if (manifest.id.group, manifest.id.kind) != ("monitoring.coreos.com", "ServiceMonitor"):
        return
    spec, namespaces = spec_of(manifest), monitored.namespaces(manifest)
    selected = inventory.labeled_services.selected(spec.get("selector") or {})
    services = [service for service in selected if namespaces is None or service.id.namespace in namespaces]
    if not services:
        if namespaces is not None and not inventory.is_operated(namespaces):
            yield missing.finding(manifest, "selects no Service")
        return
    names = {port.get("name") for service in services for port in spec_of(service).get("ports") or ()}
    workloads = [pods for service in services for pods in inventory.pods_of(service)]
    for endpoint in spec.get("endpoints") or ():
        port, target = endpoint.get("port"), endpoint.get("targetPort")
        if port and port not in names:
            yield missing.finding(manifest, f"no selected Service has a port {port}")
        elif not port and target and workloads and not any(pods.has_port(target) for pods in workloads):
            yield missing.finding(manifest, f"no pod of the selected Services has a port {target}")
