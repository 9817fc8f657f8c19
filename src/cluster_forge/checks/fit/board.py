"""Nodes with Pods on them: what is free, and whether one more Pod may come.

The rules are those of kube-scheduler's filters: NodeResourcesFit, NodePorts, InterPodAffinity, PodTopologySpread. NodeAffinity
and TaintToleration are in the nodes of a `Task`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from operator import sub

from cluster_forge.checks.fit.counter import Counter
from cluster_forge.checks.fit.task import Compiler, SpreadRule, Task
from cluster_forge.manifests.host_ports import HostPort

UNLIMITED = 1 << 100


class Board:
    """Nodes by number, at first with nothing but their residents; ``closed`` ones take no Pods. Changed in place.

    ``extended`` is how many extended resources each node has.
    """

    def __init__(self, compiler: Compiler, closed: frozenset[int] = frozenset()) -> None:
        self.compiler = compiler
        self.closed = closed
        by_group = [
            [
                UNLIMITED if name in group.unlimited else max(group.capacity.get(name, 0), 0)
                for name in compiler.resources
            ]
            for group in compiler.nodes.groups
        ]
        extended = [number for number, name in enumerate(compiler.resources) if "/" in name]
        special = [sum(1 for number in extended if capacity[number]) for capacity in by_group]
        self.extended = [special[number] for number in compiler.nodes.group_of]
        self.capacity = [by_group[number] for number in compiler.nodes.group_of]
        used = [[group.used.get(name, 0) for name in compiler.resources] for group in compiler.nodes.groups]
        left = [list(map(sub, capacity, taken)) for capacity, taken in zip(by_group, used, strict=True)]
        self.free = [list(left[number]) for number in compiler.nodes.group_of]
        self._ports: dict[int, list[HostPort]] = {}
        for node, resident in self._residents():
            self._ports.setdefault(node, []).extend(resident.ports)

    @cached_property
    def counters(self) -> list[Counter]:
        """What affinity and spread constraints count, by number; made when the first Pod comes."""
        counters = self.compiler.counters()
        for node, resident in self._residents():
            for number in (*resident.adds, *resident.owns):
                counters[number].change(node, 1)
        return counters

    def _residents(self) -> Iterator[tuple[int, Task]]:
        """The number of each node with each of its residents."""
        groups = self.compiler.nodes.groups
        for node, number in enumerate(self.compiler.nodes.group_of):
            for pod in groups[number].residents:
                yield node, self.compiler.task(pod)

    def put(self, task: Task, node: int) -> None:
        """Place a Pod, which must be allowed to come."""
        self._move(task, node, 1)
        if task.ports:
            self._ports.setdefault(node, []).extend(task.ports)

    def take(self, task: Task, node: int) -> None:
        """Remove a Pod."""
        self._move(task, node, -1)
        for port in task.ports:
            self._ports[node].remove(port)

    def has_room(self, task: Task, node: int) -> bool:
        """NodeResourcesFit."""
        free = self.free[node]
        for resource, amount in task.vector:  # noqa: SIM110 - `all` takes three times as long, and this is asked most
            if free[resource] < amount:
                return False
        return True

    def is_allowed(self, task: Task, node: int) -> bool:
        """Whether one of a Pod's nodes may take it, as far as ports and other Pods decide."""
        if task.is_plain:
            return True
        counters = self.counters
        for number in (*task.repels, *task.repelled):
            if counters[number].at(node):
                return False
        for rule in task.spreads:  # loops, as in `has_room`
            if not self.allows(rule, node):
                return False
        return not (task.ports and self.has_clash(task, node)) and (not task.attracts or self.attracts(task, node))

    def has_clash(self, task: Task, node: int) -> bool:
        """NodePorts."""
        taken = self._ports.get(node)
        return bool(taken) and any(port.clashes_with(other) for port in task.ports for other in taken or ())

    def attracts(self, task: Task, node: int) -> bool:
        """The required affinity holds, or no Pod anywhere meets it and this one would meet its own."""
        if all(self.counters[number].at(node) for number in task.attracts):
            return True
        return task.attracts_itself and not any(self.counters[number].total for number in task.attracts)

    def allows(self, rule: SpreadRule, node: int) -> bool:
        """A node that does not count for a constraint has no Pods in its domain (kubernetes, ``podtopologyspread``)."""
        counter = self.counters[rule.counter]
        low = counter.low if counter.size >= rule.least_domains else 0
        return counter.at(node) + rule.own - low <= rule.skew

    def _move(self, task: Task, node: int, by: int) -> None:
        free = self.free[node]
        for resource, amount in task.vector:
            free[resource] -= amount * by
        if task.adds or task.owns:
            counters = self.counters
            for number in (*task.adds, *task.owns):
                counters[number].change(node, by)
