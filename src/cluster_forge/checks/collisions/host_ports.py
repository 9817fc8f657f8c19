"""No two Pods on a node want the same port of it.

The scheduler says so only by a Pod that stays Pending, or by a DaemonSet that is never ready.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.workloads import Workload
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests import host_ports
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.host_ports import HostPort
from cluster_forge.manifests.label_selector import can_both_match

CODE: Final = "port-conflict"
_OF_EACH_NODE: Final = frozenset({"kubernetes.io/os", "beta.kubernetes.io/os"})
"""Labels that all nodes have with one value, where they are not Windows."""


class Clash(NamedTuple):
    """Two workloads whose Pods may be on one node and want the same port; ``is_certain`` where they are on every node."""

    one: Workload
    other: Workload
    port: HostPort
    is_certain: bool


def findings(checked: CheckedStack) -> Iterator[Finding]:
    for clash in clashes(checked.workloads):
        say = report.error if clash.is_certain else report.warning
        manifest, other = clash.other.manifest, clash.one.manifest
        yield say(
            manifest,
            CODE,
            f"wants port {clash.port} of its nodes, and so does {other.id} of {other.provenance.component}: "
            "the Pods of one of them stay Pending",
            fix="change the port of one of them by the values of its chart, or leave one of the two out",
        )


def clashes(workloads: Iterable[Workload]) -> Iterator[Clash]:
    """Each pair with the same port of which one runs on all nodes that it selects; others may go to different nodes."""
    wanting: defaultdict[tuple[int, str], list[tuple[Workload, HostPort]]] = defaultdict(list)
    for workload in workloads:
        for port in wanted(workload):
            wanting[port.number, port.protocol].append((workload, port))
    for users in wanting.values():
        for number, (one, port) in enumerate(users):
            for other, same in users[number + 1 :] if any(user.is_everywhere for user, _ in users) else ():
                if one is other or not (one.is_everywhere or other.is_everywhere):
                    continue
                if port.clashes_with(same) and _may_meet(one, other):
                    yield Clash(one, other, port, _is_everywhere(one) and _is_everywhere(other))


def wanted(workload: Workload) -> Sequence[HostPort]:
    """The host ports of a workload's Pods, each once; none where the Pods end by themselves."""
    return host_ports.of(workload.pod) if workload.is_lasting else ()


def selected_nodes(workload: Workload) -> Mapping[str, Any]:
    """The labels that a node must have for its Pods."""
    return mapping(workload.pod.get("nodeSelector"))


def _may_meet(one: Workload, other: Workload) -> bool:
    return can_both_match(selected_nodes(one), selected_nodes(other))


def _is_everywhere(workload: Workload) -> bool:
    """Whether every node without taints gets a Pod of the workload."""
    affinity = mapping(mapping(workload.pod.get("affinity")).get("nodeAffinity"))
    is_choosy = bool(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))
    return workload.is_everywhere and not is_choosy and set(selected_nodes(workload)) <= _OF_EACH_NODE
