"""Ports that are named are there: those of Services in the Pods that they select, those of probes in their container.

A number needs no declaration. A Service with a name that no Pod has has no endpoints at that port (Kubernetes, "Service",
"Port definitions"); a probe with one always fails (kubelet, ``probe/prober``, ``resolveContainerPort``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.inventory import spec_of
from cluster_forge.checks.workloads import Workload
from cluster_forge.foundation.untyped import mapping, sequence, texts
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "missing-port"
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS: Final = ("httpGet", "tcpSocket")


def findings(checked: CheckedStack) -> Iterator[Finding]:
    for service in checked.of_kind["", "Service"]:
        if not checked.presence.has_foreign_pods(service.id.namespace):
            yield from _of_service(service, checked.serving((service.id.namespace, service.id.name)))
    for workload in checked.workloads:
        yield from _of_probes(workload)


def _of_service(service: Manifest, serving: Any) -> Iterator[Finding]:
    names = {name for workload in serving for container in workload.all_containers for name in _names(container)}
    for number, port in enumerate(map(mapping, sequence(spec_of(service).get("ports"))) if serving else ()):
        target = port.get("targetPort")
        if isinstance(target, str) and not target.isdecimal() and target not in names:
            yield report.warning(
                service,
                CODE,
                f"leads to port {target} of its Pods, and none of their containers has a port of that name: "
                f"nothing answers at port {port.get('port')}",
                fix=f"name a port {target} in the Pods, or write its number",
                field=field_path.text(("spec", "ports", number, "targetPort")),
            )


def _of_probes(workload: Workload) -> Iterator[Finding]:
    for container in workload.all_containers:
        names = _names(container)
        for probe, handler, port in _probed(container):
            if port not in names:
                yield report.error(
                    workload.manifest,
                    CODE,
                    f"the {probe} of container {container.get('name')} asks for port {port}, and the container has no port of "
                    "that name: it always fails",
                    fix=f"name one of the container's ports {port}, or write the number",
                    field=f"{probe}.{handler}.port",
                )


def _names(container: Mapping[str, Any]) -> frozenset[str]:
    """The names of a container's ports."""
    return frozenset(texts([mapping(port).get("name") for port in sequence(container.get("ports"))]))


def _probed(container: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The probes that name a port."""
    for probe in _PROBES:
        for handler in _HANDLERS:
            port = mapping(mapping(container.get(probe)).get(handler)).get("port")
            if isinstance(port, str) and port and not port.isdecimal():
                yield probe, handler, port
