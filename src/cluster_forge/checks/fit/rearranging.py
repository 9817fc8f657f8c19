"""Making room by moving one Pod: what a greedy placement left over often fits once another Pod is elsewhere."""

from __future__ import annotations

from cluster_forge.checks.fit.budget import Budget
from cluster_forge.checks.fit.placement import Item, Placement

_Present = dict[int, list[int]]
"""The items on each node, one for each Pod."""


def rearranged(placement: Placement, budget: Budget) -> Placement:
    """Place what is missing by moving others, as far as that goes within the budget; the placement is changed."""
    present: _Present = placement.at() if placement.missing else {}
    for number in list(placement.missing):
        item = placement.items[number]
        while (
            not item.is_daemon and number in placement.missing and _placed_by_moving(item, placement, present, budget)
        ):
            placement.missing[number] -= 1
            if not placement.missing[number]:
                del placement.missing[number]
    return placement


def _placed_by_moving(item: Item, placement: Placement, present: _Present, budget: Budget) -> bool:
    board = placement.board
    for node in item.task.nodes:
        if node in board.closed:
            continue
        for other in dict.fromkeys(present.get(node, ())):
            if budget.is_spent:
                return False
            budget.left -= 1
            if _makes_room(placement.items[other], node, item, placement):
                place = _moved(placement.items[other], node, item, placement, budget)
                if place is not None:
                    placement.on[other].remove(node)
                    placement.on[other].append(place)
                    placement.on[item.number].append(node)
                    present[node].remove(other)
                    present[node].append(item.number)
                    present.setdefault(place, []).append(other)
                    return True
    return False


def _makes_room(other: Item, node: int, item: Item, placement: Placement) -> bool:
    """Whether a node without one Pod of ``other`` has what ``item`` requests."""
    free, given = placement.board.free[node], dict(other.task.vector)
    return all(free[resource] + given.get(resource, 0) >= amount for resource, amount in item.task.vector)


def _moved(other: Item, node: int, item: Item, placement: Placement, budget: Budget) -> int | None:
    """The node to which a Pod of ``other`` went, so that one of ``item`` came; None if that cannot be."""
    board = placement.board
    board.take(other.task, node)
    if board.is_allowed(item.task, node):
        board.put(item.task, node)
        for place in other.task.nodes:
            budget.left -= 1
            if place not in board.closed and board.has_room(other.task, place) and board.is_allowed(other.task, place):
                board.put(other.task, place)
                return place
        board.take(item.task, node)
    board.put(other.task, node)
    return None
