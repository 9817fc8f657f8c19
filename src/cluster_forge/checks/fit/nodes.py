"""The nodes of a target, one by one, and which of them a Pod may run on (kube-scheduler: NodeAffinity, TaintToleration)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cluster_forge.checks.fit.pod_class import HOSTNAME, NodeDemand, NodeTerm, PodClass
from cluster_forge.manifests import pod_requests
from cluster_forge.stack.model import Architecture, Node

PODS: Final = "pods"
SIZES: Final = ("cpu", "memory")
"""What a node must say of itself: without them nothing can be placed."""
_ARCHITECTURE: Final = "kubernetes.io/arch"
_SYSTEM: Final = "kubernetes.io/os"
_CLOSING: Final = frozenset({"NoSchedule", "NoExecute"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    key: str
    value: str = ""
    effect: str = "NoSchedule"

    @classmethod
    def parse(cls, text: str) -> Taint:
        """Read ``key=value:effect`` or ``key:effect``, as ``kubectl taint`` takes them; without an effect NoSchedule."""
        rest, _, effect = text.rpartition(":") if ":" in text else (text, "", "NoSchedule")
        key, _, value = rest.partition("=")
        return cls(key=key, value=value, effect=effect)

    @property
    def is_closing(self) -> bool:
        """Whether it keeps Pods away that do not tolerate it."""
        return self.effect in _CLOSING

    def __str__(self) -> str:
        return f"{self.key}{'=' if self.value else ''}{self.value}:{self.effect}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroup:
    """``count`` equal nodes; ``title`` is where they are described.

    ``capacity`` is what their Pods may request, by resource as in `pod_requests`; a resource of ``unlimited`` is not counted,
    because the nodes do not say how much they have.
    """

    title: str
    count: int
    capacity: Mapping[str, int]
    unlimited: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    architectures: frozenset[str] = frozenset()
    """Those that its nodes may have; one of them counts for each Pod, unless a label says which."""
    names: tuple[str, ...] = ()
    """The names of its nodes, where they have any."""
    used: Mapping[str, int] = field(default_factory=dict)
    """What Pods that are not of the stack request on each of its nodes, by resource."""
    residents: tuple[PodClass, ...] = ()
    """Those of them that decide by ports, labels or anti-affinity what else may come; `used` has what they request."""
    where: str = ""

    @classmethod
    def of(cls, node: Node, number: int, architectures: Iterable[Architecture]) -> NodeGroup:
        """An entry of ``target.nodes``, the ``number``-th; nodes run Linux unless their labels say otherwise."""
        capacity = {"cpu": node.cpu, "memory": node.memory, "ephemeral-storage": node.storage}
        read = {name: pod_requests.amount(name, value) for name, value in capacity.items() if value}
        known = {name: value for name, value in read.items() if value is not None}
        return cls(
            title=f"target.nodes[{number}]",
            count=node.count,
            capacity={**known, **node.resources, PODS: node.pods},
            unlimited=frozenset(capacity.keys() - known.keys()),
            labels={_SYSTEM: "linux", **node.labels},
            taints=tuple(map(Taint.parse, node.taints)),
            architectures=frozenset(map(str, architectures)),
            where=node.where,
        )

    @property
    def missing_sizes(self) -> tuple[str, ...]:
        return tuple(name for name in SIZES if name in self.unlimited)


class Nodes:
    """All nodes, by number: the group of each, its name, its labels."""

    def __init__(self, groups: Sequence[NodeGroup]) -> None:
        self.groups = tuple(groups)
        self.group_of = [number for number, group in enumerate(self.groups) for _ in range(group.count)]
        given = (name for group in self.groups for name in group.names or (None,) * group.count)
        self.names = [name or f"node-{number}" for number, name in enumerate(given, 1)]
        self._first: list[int] = []
        first = 0
        for group in self.groups:
            self._first.append(first)
            first += group.count

    def __len__(self) -> int:
        return len(self.group_of)

    def domain(self, node: int, key: str) -> str | None:
        """The value of a node's label; None without it."""
        group = self.groups[self.group_of[node]]
        if key == HOSTNAME:
            return group.labels.get(key, self.names[node])
        if key == _ARCHITECTURE and key not in group.labels and len(group.architectures) == 1:
            return next(iter(group.architectures))
        return group.labels.get(key)

    def matching(self, demand: NodeDemand, *, affinity: bool = True, taints: bool = True) -> list[int]:
        """The nodes on which a Pod may run by its selector and affinity, and by its tolerations."""
        names_one = affinity and _names_a_node(demand)
        matching: list[int] = []
        for number, group in enumerate(self.groups):
            first = self._first[number]
            if taints and intolerable(demand, group):
                continue
            if not affinity or not names_one:
                if not affinity or self._has(demand, first if group.count else None, group):
                    matching += range(first, first + group.count)
            else:
                matching += (node for node in range(first, first + group.count) if self._has(demand, node, group))
        return matching

    def _has(self, demand: NodeDemand, node: int | None, group: NodeGroup) -> bool:
        if node is None:
            return False
        labels = {HOSTNAME: self.names[node], **group.labels}
        fields = {"metadata.name": self.names[node]}
        if _ARCHITECTURE in labels or not group.architectures:
            return _selects(demand, labels, fields)
        return any(_selects(demand, {**labels, _ARCHITECTURE: name}, fields) for name in group.architectures)


def intolerable(demand: NodeDemand, group: NodeGroup) -> list[Taint]:
    """The taints of a group that keep a Pod away."""
    return [
        taint
        for taint in group.taints
        if taint.is_closing
        and not any(one.tolerates(taint.key, taint.value, taint.effect) for one in demand.tolerations)
    ]


def _names_a_node(demand: NodeDemand) -> bool:
    keys = {requirement.key for requirement in demand.selector.requirements}
    for term in demand.terms or ():
        keys |= {requirement.key for requirement in (*term.labels.requirements, *term.names.requirements)}
    return bool(keys & {HOSTNAME, "metadata.name"})


def _selects(demand: NodeDemand, labels: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    if not demand.selector.selects(labels):
        return False
    return demand.terms is None or any(_holds(term, labels, fields) for term in demand.terms)


def _holds(term: NodeTerm, labels: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    return (
        term.labels.selects(labels)
        and term.names.selects(fields)
        and all((number := _number(labels.get(key))) is not None and number > bound for key, bound in term.above)
        and all((number := _number(labels.get(key))) is not None and number < bound for key, bound in term.below)
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() else None
