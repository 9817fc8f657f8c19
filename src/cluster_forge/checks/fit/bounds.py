"""Proofs that Pods cannot all have a node, whatever a scheduler does.

Each is a count that no placement can meet, so a stack with such a proof certainly does not fit. The reverse does not hold: that a
stack fits is only said with a placement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import chain

from cluster_forge.checks.fit.board import Board
from cluster_forge.checks.fit.counter import NOWHERE
from cluster_forge.checks.fit.placement import Item
from cluster_forge.checks.fit.task import Compiler
from cluster_forge.manifests.host_ports import HostPort

_MOST_COMPARED = 400_000
"""Pairs of sizes and workloads that are compared for one proof."""
_WAYS = 3
"""Sizes of one workload that are compared: its CPU, its memory, and all that it requests."""
_Free = tuple[int, ...]
"""How much of each resource a node has left beside its DaemonSets."""
_Vector = tuple[tuple[int, int], ...]
_Kinds = dict[_Free, list[int]]
"""The nodes that have the same left."""


class Kind(StrEnum):
    """Of which sort a proof is."""

    CROWDED = "crowded"
    """Nodes cannot hold all their DaemonSets."""
    NO_NODE = "no-node"
    """No node takes one Pod, were it empty but for DaemonSets and residents."""
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
    """What is left for Pods beside DaemonSets and residents on the nodes of a compiler."""

    def __init__(self, compiler: Compiler, items: Sequence[Item], closed: frozenset[int] = frozenset()) -> None:
        self.compiler = compiler
        self.board = Board(compiler, closed)
        self.items = [item for item in items if not item.is_daemon]
        self.daemons = [item for item in items if item.is_daemon]
        self.free = self.board.free
        self._kinds: dict[int, _Kinds] = {}
        self._fitting_of: dict[tuple[int, _Vector, bool, tuple[HostPort, ...]], Sequence[int]] = {}
        self._interned: dict[tuple[int, ...], Sequence[int]] = {}
        self._domains_among: dict[tuple[int, int], tuple[int, bool]] = {}
        """By the identities of nodes, and of the domains of all nodes: what was computed for one workload holds for its like."""
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
        alone = list(self.alone())
        named = {item.number for shortage in alone for item in shortage.items}
        return [*alone, *self._together([item for item in self.items if item.number not in named])]

    def crowded_nodes(self, item: Item) -> list[int]:
        """The nodes that have not even room for all their DaemonSets, of which this is one."""
        asked = [resource for resource, _ in item.task.vector]
        return [node for node in self._open(item.task.nodes) if any(self.free[node][one] < 0 for one in asked)]

    def alone(self) -> Iterator[Shortage]:
        """The proofs about one workload, whatever the others do."""
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
            different, has_without = self._different_domains(nodes, self.compiler.counter_domains[number])
            most = most if has_without else min(most, different)
        return most

    def _different_domains(self, nodes: Sequence[int], domains: Sequence[int]) -> tuple[int, bool]:
        """In how many domains some nodes are that `_fitting` found, and whether one of them is in none."""
        place = id(nodes), id(domains)
        if place not in self._domains_among:
            among = {domains[node] for node in nodes}
            self._domains_among[place] = len(among - {NOWHERE}), NOWHERE in among
        return self._domains_among[place]

    def _together(self, items: Sequence[Item]) -> Iterator[Shortage]:
        """Sums over the nodes that some workloads may run on, the narrowest first."""
        by_identity = {id(item.task.nodes): item.task.nodes for item in items}
        for nodes in sorted(set(by_identity.values()), key=lambda nodes: (len(nodes), nodes)):
            inside = set(nodes)
            within = {key for key, own in by_identity.items() if inside.issuperset(own)}
            members = [item for item in items if id(item.task.nodes) in within]
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
        kinds = Counter(tuple(self.free[node]) for node in nodes)
        requested = _Requested(members)
        sizes = sorted(requested.vectors, reverse=True)  # the largest leave most unused
        vectors = sizes[: _MOST_COMPARED // (len(members) * _WAYS) + 1]
        single = [((resource, amount),) for vector in vectors for resource, amount in vector if resource < 2]
        for least in dict.fromkeys((*single, *vectors)):
            count = requested.count(least)
            held = sum(
                times * min(max(free[resource], 0) // amount for resource, amount in least)
                for free, times in kinds.items()
            )
            if count > held:
                large = {vector for _, vector in requested.at_least(least)}
                yield Shortage(
                    kind=Kind.PIECES,
                    items=tuple(item for item in members if item.task.vector in large),
                    nodes=len(nodes),
                    requested=count,
                    available=held,
                )
                return

    def _fitting(self, item: Item) -> Sequence[int]:
        """The nodes that take one Pod; any one of each kind where their number says nothing. The same object for the same ones."""
        nodes, vector, ports = item.task.nodes, item.task.vector, item.task.ports
        is_each = bool(ports or item.task.repels)
        place = id(nodes), vector, is_each, ports
        if place not in self._fitting_of:
            fitting = [same for free, same in self._kinds_of(nodes).items() if _holds(free, vector)]
            one_or_all = sorted(chain.from_iterable(fitting)) if is_each else [same[-1] for same in fitting]
            if ports:
                one_or_all = [node for node in one_or_all if not self.board.has_clash(item.task, node)]
            self._fitting_of[place] = self._interned.setdefault(tuple(one_or_all), one_or_all)
        return self._fitting_of[place]

    def _kinds_of(self, nodes: tuple[int, ...]) -> _Kinds:
        if id(nodes) not in self._kinds:
            kinds: _Kinds = {}
            for node in self._open(nodes):
                kinds.setdefault(tuple(self.free[node]), []).append(node)
            self._kinds[id(nodes)] = kinds
        return self._kinds[id(nodes)]

    def _open(self, nodes: Sequence[int]) -> Sequence[int]:
        return [node for node in nodes if node not in self.board.closed] if self.board.closed else nodes


def _holds(free: _Free, vector: _Vector) -> bool:
    return all(free[resource] >= amount for resource, amount in vector)


class _Requested:
    """What workloads request, each different vector once, with its Pods."""

    def __init__(self, members: Sequence[Item]) -> None:
        self.vectors: dict[_Vector, int] = {}
        for item in members:
            self.vectors[item.task.vector] = self.vectors.get(item.task.vector, 0) + item.demand.count
        self._amounts = [(dict(vector), vector) for vector in self.vectors]

    def at_least(self, least: _Vector) -> Sequence[tuple[dict[int, int], _Vector]]:
        """The vectors that have so much of each resource."""
        left: Sequence[tuple[dict[int, int], _Vector]] = self._amounts
        for resource, amount in least:
            left = [entry for entry in left if entry[0].get(resource, 0) >= amount]
        return left

    def count(self, least: _Vector) -> int:
        """The Pods that request at least so much."""
        return sum(self.vectors[vector] for _, vector in self.at_least(least))
