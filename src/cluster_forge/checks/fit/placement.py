"""A placement: which node each Pod of a stack is on, and which Pods have none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cluster_forge.checks.fit.board import Board
from cluster_forge.checks.fit.budget import Budget
from cluster_forge.checks.fit.demand import Demand, Stay
from cluster_forge.checks.fit.filling import NodeQueue, Score, emptiest, fullest
from cluster_forge.checks.fit.task import Compiler, Task


@dataclass(frozen=True, slots=True)
class Item:
    """A demand that stays, with its number among them and its task."""

    number: int
    demand: Demand
    task: Task

    @property
    def is_daemon(self) -> bool:
        return self.demand.stay is Stay.EACH_NODE


class Placement:
    """``on`` has the nodes of each item's Pods by its number; ``missing`` how many have none."""

    def __init__(self, items: Sequence[Item], board: Board) -> None:
        self.items = items
        self.board = board
        self.on: dict[int, list[int]] = {item.number: [] for item in items}
        self.missing: dict[int, int] = {}

    @property
    def is_complete(self) -> bool:
        return not self.missing

    @property
    def lacking(self) -> int:
        """The Pods without a node."""
        return sum(self.missing.values())

    def at(self) -> dict[int, list[int]]:
        """The items on each node, one for each Pod, but for those of DaemonSets."""
        present: dict[int, list[int]] = {}
        for item in self.items:
            if not item.is_daemon:
                for node in self.on[item.number]:
                    present.setdefault(node, []).append(item.number)
        return present


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """An order of the items, and a score: the best node that takes a Pod gets it.

    ``is_all_or_none``: the placement ends with the first Pod that cannot get a node, whatever comes after it.
    """

    order: Callable[[Item], Any]
    score: Score
    is_all_or_none: bool = False


def as_scheduled(item: Item) -> Any:
    """As kube-scheduler's queue: by priority, then as they are created: by wave. A DaemonSet's Pods come with the nodes."""
    return -item.demand.pod.priority, item.demand.wave, not item.is_daemon


def largest_first(board: Board, *, measure: Callable[[Sequence[float]], float]) -> Callable[[Item], Any]:
    """What must be on each node first, then what may be on few nodes, then by the share of all that one Pod takes."""
    total = [sum(column) or 1 for column in zip(*board.capacity, strict=True)] or [1]
    nodes = len(board.capacity)

    def key(item: Item) -> Any:
        shares = [amount * nodes / total[resource] for resource, amount in item.task.vector]
        is_bound = bool(item.task.spreads or item.task.repels or item.task.attracts or item.task.ports)
        return not item.is_daemon, len(item.task.nodes), not is_bound, -measure(shares)

    return key


def scheduled() -> Way:
    """As kube-scheduler does it."""
    return Way(order=as_scheduled, score=emptiest)


def packed(board: Board) -> tuple[Way, ...]:
    """Ways to pack: the largest Pods first, each on the node with least left where it fits (best fit, decreasing)."""
    largest, whole = largest_first(board, measure=max), largest_first(board, measure=sum)
    return (
        Way(order=largest, score=fullest),
        Way(order=whole, score=fullest),
        Way(order=largest, score=emptiest),
    )


def items_of(demands: Sequence[Demand], compiler: Compiler) -> list[Item]:
    return [Item(number, demand, compiler.task(demand.pod)) for number, demand in enumerate(demands)]


def place(
    items: Sequence[Item],
    board: Board,
    way: Way,
    first: Mapping[int, int] | None = None,
    budget: Budget | None = None,
) -> Placement:
    """Place all items on an empty board; those of ``first`` come first, the highest number before all others.

    What comes when the ``budget`` is spent has no place.
    """
    early = first or {}
    placement = Placement(items, board)
    queue = NodeQueue(board, way.score, budget)
    groups: dict[tuple[Any, bool, int], list[Item]] = {}
    for item in items:
        key = -early.get(item.number, 0), way.order(item)
        groups.setdefault((key, item.is_daemon, id(item.task)), []).append(item)
    for (_, is_daemon, _), members in sorted(groups.items(), key=lambda group: group[0][0]):
        if is_daemon:
            for item in members:
                _place_on_each(item, placement, queue)
        else:
            _place_alike(members, placement, queue)
        if way.is_all_or_none and placement.missing and not any(_may_come_later(item, board) for item in members):
            return placement
    while _placed_later(placement, queue):
        pass
    return placement


def _may_come_later(item: Item, board: Board) -> bool:
    """Whether other Pods that come later may make a node take one: those that attract it, or that its spread counts."""
    task, compiler = item.task, board.compiler
    return bool(task.attracts) or not all(compiler.is_own(rule.counter, task) for rule in task.spreads)


def _placed_later(placement: Placement, queue: NodeQueue) -> bool:
    """Whether some of what is missing found a place beside what came after it: Pods that wait are tried again."""
    before = placement.lacking
    for number in list(placement.missing):
        item = placement.items[number]
        if not item.is_daemon and (item.task.attracts or item.task.spreads):
            nodes = queue.fill(item.task, placement.missing.pop(number))
            placement.on[number] += nodes
            if lacking := item.demand.count - len(placement.on[number]):
                placement.missing[number] = lacking
    return placement.lacking < before


def _place_on_each(item: Item, placement: Placement, queue: NodeQueue) -> None:
    board, task = placement.board, item.task
    for node in task.nodes:
        if node in board.closed:
            continue
        if board.has_room(task, node) and board.is_allowed(task, node):
            queue.put(task, node)
            placement.on[item.number].append(node)
        else:
            placement.missing[item.number] = placement.missing.get(item.number, 0) + 1


def _place_alike(members: Sequence[Item], placement: Placement, queue: NodeQueue) -> None:
    """The Pods of all items of one task: each item gets the next nodes."""
    nodes = queue.fill(members[0].task, sum(item.demand.count for item in members))
    used = 0
    for item in members:
        mine = nodes[used : used + item.demand.count]
        placement.on[item.number] += mine
        used += len(mine)
        if len(mine) < item.demand.count:
            placement.missing[item.number] = item.demand.count - len(mine)
