"""The Pods of the stack fit on the nodes, by their requests and beside what runs there already.

As the scheduler counts (kubernetes, ``noderesources/fit.go``): a node's ``allocatable`` minus the requests of its Pods that
have not ended. Nodes that take no Pods (cordoned, not ready, tainted) do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from cluster_forge.foundation import quantity
from cluster_forge.foundation.names import counted
from cluster_forge.manifests import footprint
from cluster_forge.manifests.footprint import Footprint
from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, name_of

LOOKS_AT: Final = "the nodes and their Pods"
IS_NEEDED: Final = False
CODES: Final[Mapping[str, str]] = {
    "does-not-fit": "The Pods request more than the nodes have left, or than the largest node has.",
}
CODE: Final = "does-not-fit"
_ZERO: Final = Decimal(0)
_NOT_COUNTED: Final = frozenset({"CustomResourceDefinition", "Job", "CronJob"})
_CLOSED: Final = frozenset({"NoSchedule", "NoExecute"})


def problems(situation: Situation) -> Iterator[Problem]:
    nodes = [node for node in situation.nodes if takes_pods(node)]
    if not nodes:
        yield _problem(situation, "no node of the cluster takes Pods", "add nodes, or uncordon them")
        return
    wanted = footprint.of(manifest for manifest in situation.manifests if manifest.id.kind not in _NOT_COUNTED)
    used = _used(situation, {name_of(node) for node in nodes})
    for what, text, needed, allocatable, taken in (
        ("CPU", quantity.cores, wanted.cpu + wanted.node_cpu * len(nodes), _sum(nodes, "cpu"), used.cpu),
        ("memory", quantity.size, wanted.memory + wanted.node_memory * len(nodes), _sum(nodes, "memory"), used.memory),
    ):
        free = max(allocatable - taken, _ZERO)
        if needed > free:
            message = (
                f"the stack requests {text(needed)} of {what}, and {text(free)} of {text(allocatable)} are left on "
                f"{counted(len(nodes), 'node')}"
            )
            yield _problem(situation, message, "add nodes, choose a smaller `target.size`, or lower the requests")
    yield from _largest(situation, nodes)


def takes_pods(node: Body) -> bool:
    """Whether the scheduler puts Pods without tolerations there."""
    spec, status = node.get("spec") or {}, node.get("status") or {}
    conditions = {condition.get("type"): condition.get("status") for condition in status.get("conditions") or ()}
    is_closed = any(taint.get("effect") in _CLOSED for taint in spec.get("taints") or ())
    return conditions.get("Ready") == "True" and not spec.get("unschedulable") and not is_closed


def _largest(situation: Situation, nodes: Sequence[Body]) -> Iterator[Problem]:
    """A Pod that no node is large enough for, were it empty."""
    for manifest in situation.workloads:
        pod = footprint.of_pod(manifest.body)
        for what, text, needed in (("cpu", quantity.cores, pod.cpu), ("memory", quantity.size, pod.memory)):
            most = max(_allocatable(node, what) for node in nodes)
            if needed > most:
                yield Problem(
                    code=CODE,
                    message=f"its Pod requests {text(needed)} of {what}, and the largest node has {text(most)}",
                    where=str(manifest.id),
                    fix="add a larger node, or lower the requests",
                    option=f"--allow {CODE}",
                )


def _problem(situation: Situation, message: str, fix: str) -> Problem:
    return Problem(code=CODE, message=message, where=str(situation.cluster.about()), fix=fix, option=f"--allow {CODE}")


def _used(situation: Situation, nodes: set[str]) -> Footprint:
    """What Pods of others have reserved on these nodes. Those of the stack are in its own sum already."""
    pods = (pod for pod in situation.pods if pod["spec"]["nodeName"] in nodes)
    return sum(map(footprint.of_pod, pods), Footprint())


def _sum(nodes: Sequence[Body], resource: str) -> Decimal:
    return sum((_allocatable(node, resource) for node in nodes), _ZERO)


def _allocatable(node: Body, resource: str) -> Decimal:
    value = ((node.get("status") or {}).get("allocatable") or {}).get(resource)
    try:
        return quantity.parse(value) if value is not None else _ZERO
    except ValueError:
        return _ZERO
