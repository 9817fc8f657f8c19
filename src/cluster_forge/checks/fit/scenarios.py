"""What happens to a placement: an update, the loss of a node, Pods that come and go. Others stay where they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cluster_forge.checks.fit import placement as placing
from cluster_forge.checks.fit.board import Board
from cluster_forge.checks.fit.demand import Demand
from cluster_forge.checks.fit.filling import NodeQueue
from cluster_forge.checks.fit.placement import Item, Placement
from cluster_forge.checks.fit.search import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Pods of a workload that find no node; ``lacks_room`` if one would take them, were it larger."""

    item: Item
    pods: int
    lacks_room: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDown:
    """One node is down (the one with most Pods of its group), and its ``pods`` look for others."""

    node: int
    pods: int
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A new revision of every Deployment at once: ``pods`` come before old ones go, of which some wait.

    ``stuck`` are Deployments whose update cannot even begin alone: no new Pod finds a node, and no old one may go before.
    """

    pods: int
    waiting: tuple[Waiting, ...]
    stuck: tuple[Item, ...]


def update(result: Result) -> Update:
    """An update from the placement of ``result``, whose board is as it was afterwards."""
    placement = result.placement
    surging = [item for item in placement.items if item.demand.surge]
    stuck = [item for item in surging if not item.demand.unavailable and not _has_place(item, placement)]
    stuck = [item for item in stuck if not _would_have_place(item, placement)]
    waiting = _waiting(((_updated(item, placement), item.demand.surge) for item in surging), placement.board)
    return Update(pods=sum(item.demand.surge for item in surging), waiting=waiting, stuck=tuple(stuck))


def node_down(result: Result, node: int) -> NodeDown:
    """The loss of a node, from the placement of ``result``, whose board is as it was afterwards."""
    placement, board = result.placement, result.placement.board
    gone = placement.at().get(node, [])
    for number in gone:
        board.take(placement.items[number].task, node)
    board.closed |= {node}
    counts = {number: gone.count(number) for number in dict.fromkeys(gone)}
    waiting = _waiting(((placement.items[number], count) for number, count in counts.items()), board)
    board.closed -= {node}
    for number in gone:
        board.put(placement.items[number].task, node)
    return NodeDown(node=node, pods=len(gone), waiting=waiting)


def nodes_to_lose(placement: Placement) -> list[int]:
    """For each group of nodes the one with most Pods, if there are at least two nodes in all."""
    nodes = placement.board.compiler.nodes
    if len(nodes) < 2:
        return []
    present = placement.at()
    fullest: dict[int, int] = {}
    for node, group in enumerate(nodes.group_of):
        if group not in fullest or len(present.get(node, ())) > len(present.get(fullest[group], ())):
            fullest[group] = node
    return sorted(fullest.values())


def passing(result: Result, demands: Sequence[Demand]) -> tuple[Waiting, ...]:
    """Jobs whose Pods find no node beside what stays, each tried alone."""
    compiler = result.placement.board.compiler
    items = [Item(number, demand, compiler.task(demand.pod)) for number, demand in enumerate(demands)]
    waiting: list[Waiting] = []
    for item in items:
        waiting += _waiting([(item, item.demand.count)], result.placement.board)
    return tuple(waiting)


def _waiting(wanted: Iterable[tuple[Item, int]], board: Board) -> tuple[Waiting, ...]:
    """What finds no node of a board, the largest Pods first; the board is left as it was."""
    queue = NodeQueue(board, placing.scheduled().score)
    put: list[tuple[Item, int]] = []
    waiting: list[Waiting] = []
    for item, count in sorted(wanted, key=lambda entry: (-entry[0].demand.pod.priority, entry[0].number)):
        nodes = queue.fill(item.task, count)
        put += [(item, node) for node in nodes]
        if len(nodes) < count:
            waiting.append(Waiting(item=item, pods=count - len(nodes), lacks_room=_lacks_room(item, board)))
    for item, node in put:
        board.take(item.task, node)
    return tuple(waiting)


def _lacks_room(item: Item, board: Board) -> bool:
    return any(
        node not in board.closed and not board.has_room(item.task, node) and board.is_allowed(item.task, node)
        for node in item.task.nodes
    )


def _updated(item: Item, placement: Placement) -> Item:
    return Item(item.number, item.demand, placement.board.compiler.task(item.demand.updated or item.demand.pod))


def _has_place(item: Item, placement: Placement) -> bool:
    board, task = placement.board, _updated(item, placement).task
    return any(
        board.has_room(task, node) and board.is_allowed(task, node) for node in task.nodes if node not in board.closed
    )


def _would_have_place(item: Item, placement: Placement) -> bool:
    """Whether one more Pod fits if all are placed again: the scheduler may have placed them so."""
    board = placement.board
    more = Item(len(placement.items), replace(item.demand, count=1), _updated(item, placement).task)
    return any(
        placing.place([*placement.items, more], Board(board.compiler, board.closed), way).is_complete
        for way in (placing.scheduled(), *placing.packed(board))
    )
