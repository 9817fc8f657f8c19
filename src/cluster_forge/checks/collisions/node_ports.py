"""No two Services ask for the same port of all nodes: the API server refuses the second (kubernetes, ``portallocator``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.collisions.host_ports import CODE
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest


class _NodePort(NamedTuple):
    field: str
    number: int
    protocols: frozenset[str]


def findings(checked: CheckedStack) -> Iterator[Finding]:
    taken: dict[tuple[int, str], Manifest] = {}
    for service in checked.of_kind["", "Service"]:
        for port in _ports(mapping(service.body.get("spec"))):
            holders = [taken.setdefault((port.number, protocol), service) for protocol in sorted(port.protocols)]
            for holder in dict.fromkeys(other.id for other in holders if other is not service):
                yield report.error(
                    service,
                    CODE,
                    f"asks for port {port.number} of all nodes, which {holder} has: the API server refuses it",
                    fix="leave out one of the two `nodePort`s, then the cluster chooses a free one, or change it",
                    field=port.field,
                )


def _ports(spec: Mapping[str, Any]) -> Iterator[_NodePort]:
    """What a Service asks for; one port may serve two protocols, but not the same one twice."""
    for number, port in enumerate(map(mapping, sequence(spec.get("ports")))):
        if isinstance(port.get("nodePort"), int) and port["nodePort"]:
            field = field_path.text(("spec", "ports", number, "nodePort"))
            yield _NodePort(field, port["nodePort"], frozenset({str(port.get("protocol") or "TCP")}))
    if isinstance(spec.get("healthCheckNodePort"), int) and spec["healthCheckNodePort"]:
        yield _NodePort("spec.healthCheckNodePort", spec["healthCheckNodePort"], frozenset({"TCP"}))
