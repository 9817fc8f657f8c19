"""Host ports are free: no two Pods on one node want the same one.

The scheduler says so only by a Pod that stays Pending, or by a DaemonSet that is never ready (kubernetes,
``nodeports/node_ports.go``): two ports clash if number and protocol are the same, and the addresses are, or one is any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.manifests.pods import pod_of
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of, name_of

LOOKS_AT: Final = "the host ports of running Pods"
IS_NEEDED: Final = False
CODES: Final[Mapping[str, str]] = {
    "port-conflict": "Two Pods want one port of a node.",
}
CODE: Final = "port-conflict"
_ANY: Final = "0.0.0.0"  # noqa: S104 - the address that stands for all
_EVERYWHERE: Final = "DaemonSet"
_LASTING: Final = frozenset({"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPort:
    """A port of a node, as a Pod wants it."""

    number: int
    protocol: str
    address: str

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"

    def clashes_with(self, other: HostPort) -> bool:
        is_same = (self.number, self.protocol) == (other.number, other.protocol)
        return is_same and (self.address == other.address or _ANY in (self.address, other.address))


def problems(situation: Situation) -> Iterator[Problem]:
    wanting = [(manifest, ports) for manifest in situation.workloads if (ports := list(_wanted(manifest)))]
    for (one, ports), (other, others) in combinations(wanting, 2):
        both = one.body, other.body
        if _EVERYWHERE in (one.id.kind, other.id.kind) and _may_meet(*map(_selected_nodes, both)):
            for port in _clashing(ports, others):
                yield _problem(
                    one, port, f"{other.id} of the stack", "change the port of one of them, or leave one out"
                )
    yield from _with_running(situation, wanting)


def _with_running(situation: Situation, wanting: list[tuple[Manifest, list[HostPort]]]) -> Iterator[Problem]:
    """DaemonSets whose port Pods of others have on their nodes."""
    everywhere = [(manifest, ports) for manifest, ports in wanting if manifest.id.kind == _EVERYWHERE]
    if not everywhere:
        return
    nodes = {name_of(node): labels_of(node) for node in situation.nodes}
    running = [(pod, ports) for pod in situation.pods if (ports := list(_ports(pod["spec"])))]
    for manifest, ports in everywhere:
        selected = _selected_nodes(manifest.body).items()
        near = [(pod, others) for pod, others in running if selected <= nodes.get(pod["spec"]["nodeName"], {}).items()]
        for port in dict.fromkeys(ports):
            holders = [pod for pod, others in near if any(port.clashes_with(other) for other in others)]
            if holders:
                yield _problem(manifest, port, _named(holders), "change the port, or end what has it")


def _named(pods: list[Body]) -> str:
    """Some Pods, by the first one."""
    first = pods[0]
    name = f"the Pod {first['metadata'].get('namespace')}/{name_of(first)} on node {first['spec']['nodeName']}"
    return name if len(pods) == 1 else f"{name}, and {len(pods) - 1} more"


def _problem(manifest: Manifest, port: HostPort, holder: str, fix: str) -> Problem:
    return Problem(
        code=CODE,
        message=f"wants port {port} of its nodes, and so does {holder}",
        where=str(manifest.id),
        fix=fix,
        option=f"--allow {CODE}",
    )


def _wanted(manifest: Manifest) -> Iterator[HostPort]:
    if manifest.id.kind in _LASTING and not manifest.facts.hook:
        yield from _ports(pod_of(manifest.body) or {})


def _ports(pod: Mapping[str, Any]) -> Iterator[HostPort]:
    for container in pod.get("containers") or ():
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port.get("containerPort") if pod.get("hostNetwork") else None)
            if number:
                yield HostPort(
                    number=int(number), protocol=port.get("protocol") or "TCP", address=port.get("hostIP") or _ANY
                )


def _clashing(ports: list[HostPort], others: list[HostPort]) -> Iterator[HostPort]:
    return (port for port in dict.fromkeys(ports) if any(port.clashes_with(other) for other in others))


def _selected_nodes(workload: Body) -> Mapping[str, Any]:
    return (pod_of(workload) or {}).get("nodeSelector") or {}


def _may_meet(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a node can have the labels of both selectors."""
    return all(other.get(key, value) == value for key, value in one.items())
