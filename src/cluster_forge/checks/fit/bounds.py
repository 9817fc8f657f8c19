"""Proofs that Pods cannot all have a node, whatever a scheduler does.

Each is a count that no placement can meet, so a stack with such a proof certainly does not fit. The reverse does not hold: that a
stack fits is only said with a placement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from cluster_forge.checks.fit.board import Board
from cluster_forge.checks.fit.counter import NOWHERE
from cluster_forge.checks.fit.placement import Item
from cluster_forge.checks.fit.task import Compiler

_MOST_COMPARED = 400_000
"""Pairs of sizes and workloads that are compared for one proof."""
_WAYS = 3
"""Sizes of one workload that are compared: its CPU, its memory, and all that it requests."""
_Free = dict[tuple[int, ...], int]
"""How many nodes have so much of each resource left beside their DaemonSets."""


class Kind(StrEnum):
    """Of which sort a proof is."""

    CROWDED = "crowded"
    """Nodes cannot hold all their DaemonSets."""
    NO_NODE = "no-node"
    """No node takes one Pod, were it empty but for DaemonSets."""
    APART = "apart"
    """The Pods of a workload cannot share a node (or another domain), and there are too few."""
    SUM = "sum"
    """All together they request more of a resource than there is."""
    PIECES = "pieces"
    """What is left on each node is too small for one more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """Why Pods cannot all run: ``items`` are those that it is about, ``nodes`` is how many nodes they may run on.

    ``requested`` and ``available`` are amounts of ``resource`` (in the units of `pod_requests`) for a sum, else numbers of Pods:
    so many are wanted, and so many can run at once; for crowded nodes, numbers of nodes.
    """

    kind: Kind
    items: tuple[Item, ...]
    nodes: int
    requested: int
    available: int
    resource: str = ""


class Bounds:
    """What is left for Pods beside DaemonSets on the nodes of a compiler."""

    def __init__(self, compiler: Compiler, items: Sequence[Item], closed: frozenset[int] = frozenset()) -> None:
        self.compiler = compiler
        self.board = Board(compiler, closed)
        self.items = [item for item in items if not item.is_daemon]
        self.daemons = [item for item in items if item.is_daemon]
        self.free = self.board.free
        self._kinds: dict[tuple[int, ...], Sequence[int]] = {}
        for item in self.daemons:
            for node in item.task.nodes:
                for resource, amount in item.task.vector:
                    self.free[node][resource] -= amount

    @cached_property
    def alike(self) -> Sequence[Sequence[int]]:
        """The nodes by group and by what is left on them."""
        groups, closed = self.compiler.nodes.group_of, self.board.closed
        kinds: dict[tuple[object, ...], list[int]] = {}
        for node, free in enumerate(self.free):
            kinds.setdefault((groups[node], node in closed, *free), []).append(node)
        return list(kinds.values())

    def shortages(self) -> list[Shortage]:
        """The proofs, those about one workload first; none if nothing is proven."""
        alone = list(self._alone())
        named = {item.number for shortage in alone for item in shortage.items}
        return [*alone, *self._together([item for item in self.items if item.number not in named])]

    def crowded_nodes(self, item: Item) -> list[int]:
        """The nodes that have not even room for all their DaemonSets, of which this is one."""
        asked = [resource for resource, _ in item.task.vector]
        return [node for node in self._open(item.task.nodes) if any(self.free[node][one] < 0 for one in asked)]

    def _alone(self) -> Iterator[Shortage]:
        for item in self.daemons:
            if crowded := self.crowded_nodes(item):
                yield Shortage(
                    kind=Kind.CROWDED,
                    items=(item,),
                    nodes=len(crowded),
                    requested=len(item.task.nodes),
                    available=len(item.task.nodes) - len(crowded),
                )
        for item in self.items:
            fitting = self._fitting(item)
            most = self._domains(item, fitting)
            if item.demand.count > most:
                yield Shortage(
                    kind=Kind.APART if most else Kind.NO_NODE,
                    items=(item,),
                    nodes=len(fitting),
                    requested=item.demand.count,
                    available=most,
                )

    def _domains(self, item: Item, nodes: Sequence[int]) -> int:
        """How many Pods of one workload run at most where they repel each other, or take a port of the node."""
        most = item.demand.count if nodes else 0
        if item.task.ports:
            most = min(most, len(nodes))
        for number in set(item.task.repels) & set(item.task.adds):
            domains = self.board.counters[number].domains
            with_domain = {domains[node] for node in nodes} - {NOWHERE}
            without = any(domains[node] == NOWHERE for node in nodes)
            most = most if without else min(most, len(with_domain))
        return most

    def _together(self, items: Sequence[Item]) -> Iterator[Shortage]:
        """Sums over the nodes that some workloads may run on, the narrowest first."""
        for nodes in sorted({item.task.nodes for item in items}, key=lambda nodes: (len(nodes), nodes)):
            inside = set(nodes)
            members = [
                item for item in items if len(item.task.nodes) <= len(nodes) and inside.issuperset(item.task.nodes)
            ]
            sums = list(self._sums(members, self._open(nodes)))
            yield from sums or self._counts(members, self._open(nodes))

    def _sums(self, members: Sequence[Item], nodes: Sequence[int]) -> Iterator[Shortage]:
        requested: dict[int, int] = {}
        for item in members:
            for resource, amount in item.task.vector:
                requested[resource] = requested.get(resource, 0) + amount * item.demand.count
        for resource, amount in requested.items():
            available = sum(max(self.free[node][resource], 0) for node in nodes)
            if amount > available:
                having = tuple(item for item in members if any(number == resource for number, _ in item.task.vector))
                yield Shortage(
                    kind=Kind.SUM,
                    items=having,
                    nodes=len(nodes),
                    requested=amount,
                    available=available,
                    resource=self.compiler.resources[resource],
                )

    def _counts(self, members: Sequence[Item], nodes: Sequence[int]) -> Iterator[Shortage]:
        """Of Pods that request at least so much, each node holds only so many: pieces that are left are of no use."""
        kinds: _Free = {}
        for node in nodes:
            key = tuple(self.free[node])
            kinds[key] = kinds.get(key, 0) + 1
        asked = [(item, dict(item.task.vector)) for item in members]
        sizes = sorted({item.task.vector for item in members}, reverse=True)  # the largest leave most unused
        vectors = sizes[: _MOST_COMPARED // (len(members) * _WAYS) + 1]
        single = [((resource, amount),) for vector in vectors for resource, amount in vector if resource < 2]
        for least in dict.fromkeys((*single, *vectors)):
            large = [item for item, vector in asked if _is_at_least(vector, least)]
            count = sum(item.demand.count for item in large)
            held = sum(
                times * min(max(free[resource], 0) // amount for resource, amount in least)
                for free, times in kinds.items()
            )
            if count > held:
                yield Shortage(kind=Kind.PIECES, items=tuple(large), nodes=len(nodes), requested=count, available=held)
                return

    def _fitting(self, item: Item) -> Sequence[int]:
        """The nodes that take one Pod; any one of them where their number says nothing."""
        nodes = self._open(item.task.nodes)
        if not item.task.ports and not item.task.repels:
            nodes = self._different(item.task.nodes)
        return [node for node in nodes if self._fits(item, node)]

    def _different(self, nodes: tuple[int, ...]) -> Sequence[int]:
        """One node of each kind among some: those of a kind have the same left."""
        if nodes not in self._kinds:
            self._kinds[nodes] = list({tuple(self.free[node]): node for node in self._open(nodes)}.values())
        return self._kinds[nodes]

    def _fits(self, item: Item, node: int) -> bool:
        free = self.free[node]
        return all(free[resource] >= amount for resource, amount in item.task.vector)

    def _open(self, nodes: Sequence[int]) -> Sequence[int]:
        return [node for node in nodes if node not in self.board.closed] if self.board.closed else nodes


def _is_at_least(vector: dict[int, int], least: Sequence[tuple[int, int]]) -> bool:
    return all(vector.get(resource, 0) >= amount for resource, amount in least)
