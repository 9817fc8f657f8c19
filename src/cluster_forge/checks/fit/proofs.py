"""Proofs that Pods find no room on the nodes of a cluster, whatever may still change there.

A bound on the nodes as they are proves nothing where they change: a device plug-in adds resources, a program labels nodes, a node
gets ready, a Pod evicts others of a lower priority. Here all of it is given to the Pods of the stack, and what then has no room
has none (Kubernetes, "Pod Priority and Preemption").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cluster_forge.checks.fit.bounds import Bounds, Kind, Shortage
from cluster_forge.checks.fit.demand import Demand, Stay
from cluster_forge.checks.fit.live_nodes import LiveNodes
from cluster_forge.checks.fit.nodes import NodeGroup, Nodes, Taint
from cluster_forge.checks.fit.placement import items_of
from cluster_forge.checks.fit.pod_class import HOSTNAME, NodeDemand, NodeTerm
from cluster_forge.checks.fit.task import Compiler
from cluster_forge.foundation.label_selector import LabelSelector

_PASSING: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
"""Taints of these domains come and go with the state of a node,"""
_LASTING: Final = frozenset({"node.kubernetes.io/unschedulable", "node.kubernetes.io/out-of-service"})
"""but for those that people set."""
_ROLE: Final = "node-role.kubernetes.io/"
_FIXED: Final = ("topology.kubernetes.io/", "failure-domain.beta.kubernetes.io/", "beta.kubernetes.io/")
"""Labels of these domains come with the node, as do"""
_FIXED_KEYS: Final = frozenset(
    {HOSTNAME, "kubernetes.io/arch", "kubernetes.io/os", "node.kubernetes.io/instance-type", "metadata.name"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """What may still change: ``resources`` of which nodes get more, and (``labels``) labels and taints that programs set."""

    resources: frozenset[str] = frozenset()
    labels: bool = False


def shortages(nodes: LiveNodes, demands: Sequence[Demand], open_: Open) -> Iterator[tuple[Shortage, Bounds]]:
    """The proofs about Pods that stay, and about single Pods that end; a workload is named by one of them."""
    changing = [changed for demand in demands if (changed := _at_best(demand, open_))]
    groups = [_group_at_best(group, open_) for group in nodes.groups]
    named: set[str] = set()
    for priority in sorted({demand.pod.priority for demand in changing}):
        beside = [nodes.without_evicted(group, priority) for group in groups]
        pods = [demand for demand in changing if demand.pod.priority <= priority]
        new = [proof for proof in _proven(beside, pods) if named.isdisjoint(_workloads(proof[0]))]
        named.update(name for shortage, _ in new for name in _workloads(shortage))
        yield from new


def _workloads(shortage: Shortage) -> set[str]:
    return {str(item.demand.manifest.id) for item in shortage.items}


def _proven(groups: Sequence[NodeGroup], demands: Sequence[Demand]) -> Iterator[tuple[Shortage, Bounds]]:
    compiler = Compiler(Nodes(groups), [demand.pod for demand in demands])
    staying = [demand for demand in demands if demand.stay is not Stay.TEMPORARY]
    bounds = Bounds(compiler, items_of(staying, compiler))
    for shortage in bounds.shortages():
        yield shortage, bounds
    on_each = [demand for demand in staying if demand.stay is Stay.EACH_NODE]
    ending = [demand for demand in demands if demand.stay is Stay.TEMPORARY]
    bounds = Bounds(compiler, items_of([*on_each, *ending], compiler))
    for shortage in bounds.alone():
        if shortage.kind is Kind.NO_NODE:
            yield shortage, bounds


def _at_best(demand: Demand, open_: Open) -> Demand | None:
    """A demand whose Pods may run wherever labels may let them; None for a DaemonSet that may then run nowhere."""
    if not open_.labels:
        return demand
    pod = demand.pod
    nodes = NodeDemand(
        selector=_fixed(pod.nodes.selector),
        terms=None if pod.nodes.terms is None else tuple(map(_fixed_term, pod.nodes.terms)),
        tolerations=pod.nodes.tolerations,
    )
    if demand.stay is Stay.EACH_NODE and nodes != pod.nodes:
        return None
    return replace(
        demand,
        pod=replace(
            pod,
            nodes=nodes,
            attracts=tuple(term for term in pod.attracts if _is_fixed(term.key)),
            repels=tuple(term for term in pod.repels if _is_fixed(term.key)),
            spreads=tuple(spread for spread in pod.spreads if _is_fixed(spread.term.key)),
        ),
    )


def _fixed(selector: LabelSelector) -> LabelSelector:
    return LabelSelector(tuple(one for one in selector.requirements if _is_fixed(one.key)))


def _fixed_term(term: NodeTerm) -> NodeTerm:
    return NodeTerm(
        labels=_fixed(term.labels),
        above=tuple(bound for bound in term.above if _is_fixed(bound[0])),
        below=tuple(bound for bound in term.below if _is_fixed(bound[0])),
        names=term.names,
    )


def _is_fixed(key: str) -> bool:
    return key in _FIXED_KEYS or key.startswith(_FIXED)


def _group_at_best(group: NodeGroup, open_: Open) -> NodeGroup:
    return replace(
        group,
        unlimited=group.unlimited | open_.resources,
        taints=tuple(taint for taint in group.taints if not _may_go(taint, open_)),
    )


def _may_go(taint: Taint, open_: Open) -> bool:
    if taint.key in _LASTING or taint.key.startswith(_ROLE):
        return False
    return open_.labels or taint.key.startswith(_PASSING)
