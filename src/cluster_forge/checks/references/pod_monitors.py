"""PodMonitors select pods that have the port that they scrape."""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks.inventory import Inventory, spec_of
from cluster_forge.checks.references import missing, monitored
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest


def findings(manifest: Manifest, inventory: Inventory) -> Iterator[Finding]:
    if (manifest.id.group, manifest.id.kind) != ("monitoring.coreos.com", "PodMonitor"):
        return
    spec, namespaces = spec_of(manifest), monitored.namespaces(manifest)
    selected = inventory.pods.selected(spec.get("selector") or {})
    workloads = [pods for pods in selected if namespaces is None or pods.namespace in namespaces]
    if not workloads:
        if namespaces is not None and not inventory.is_operated(namespaces):
            yield missing.finding(manifest, "selects no pods")
        return
    for endpoint in spec.get("podMetricsEndpoints") or ():
        port = endpoint.get("port") or endpoint.get("portNumber") or endpoint.get("targetPort")
        if port and not any(pods.has_port(port) for pods in workloads):
            yield missing.finding(manifest, f"no selected pod has a port {port}")
