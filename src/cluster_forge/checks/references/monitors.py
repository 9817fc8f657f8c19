"""ServiceMonitors and PodMonitors select Services and Pods that have the port that they scrape.

Source: prometheus-operator, API reference (``Endpoint``, ``PodMetricsEndpoint``).
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster_forge.checks import monitored
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.inventory import spec_of
from cluster_forge.checks.references import missing
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

_GROUP = "monitoring.coreos.com"


def findings(checked: CheckedStack) -> Iterator[Finding]:
    for monitor in checked.of_kind[_GROUP, "ServiceMonitor"]:
        yield from _of_services(checked, monitor)
    for monitor in checked.of_kind[_GROUP, "PodMonitor"]:
        yield from _of_pods(checked, monitor)


def _of_services(checked: CheckedStack, monitor: Manifest) -> Iterator[Finding]:
    spec, namespaces, inventory = spec_of(monitor), monitored.namespaces(monitor), checked.inventory
    selected = inventory.labeled_services.selected(mapping(spec.get("selector")))
    services = [service for service in selected if namespaces is None or service.id.namespace in namespaces]
    if not services:
        yield from _selects_nothing(checked, monitor, namespaces, "selects no Service")
        return
    names = {mapping(port).get("name") for service in services for port in sequence(spec_of(service).get("ports"))}
    workloads = [pods for service in services for pods in inventory.pods_of(service)]
    for number, endpoint in enumerate(map(mapping, sequence(spec.get("endpoints")))):
        port, target = endpoint.get("port"), endpoint.get("targetPort")
        field = field_path.text(("spec", "endpoints", number))
        if isinstance(port, str) and port and port not in names:
            yield missing.finding(checked, monitor, f"no selected Service has a port {port}", field=field)
        elif not port and target and workloads and not any(pods.has_port(target) for pods in workloads):
            yield missing.finding(checked, monitor, f"no pod of the selected Services has a port {target}", field=field)


def _of_pods(checked: CheckedStack, monitor: Manifest) -> Iterator[Finding]:
    spec, namespaces = spec_of(monitor), monitored.namespaces(monitor)
    selected = checked.inventory.pods.selected(mapping(spec.get("selector")))
    workloads = [pods for pods in selected if namespaces is None or pods.namespace in namespaces]
    if not workloads:
        yield from _selects_nothing(checked, monitor, namespaces, "selects no pods")
        return
    for number, endpoint in enumerate(map(mapping, sequence(spec.get("podMetricsEndpoints")))):
        port = endpoint.get("port") or endpoint.get("portNumber") or endpoint.get("targetPort")
        if port and not any(pods.has_port(port) for pods in workloads):
            field = field_path.text(("spec", "podMetricsEndpoints", number))
            yield missing.finding(checked, monitor, f"no selected pod has a port {port}", field=field)


def _selects_nothing(
    checked: CheckedStack, monitor: Manifest, namespaces: frozenset[str] | None, text: str
) -> Iterator[Finding]:
    """Nothing where operators make what is selected, or the stack does not know all that is there."""
    if namespaces is None or any(map(checked.presence.has_foreign_pods, namespaces)):
        return
    if checked.is_closed or any(checked.presence.knows(namespace, monitor) for namespace in namespaces):
        yield missing.finding(checked, monitor, text, field="spec.selector")
