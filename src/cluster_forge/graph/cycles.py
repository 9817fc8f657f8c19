"""Strongly connected parts of a directed graph: the components that need each other in a cycle.

Source: R. Tarjan, "Depth-first search and linear graph algorithms" (1972); without recursion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

_Node = TypeVar("_Node", bound=str)


def groups(after: Mapping[_Node, Iterable[_Node]]) -> list[frozenset[_Node]]:
    """The sets of nodes of which each needs all others of the set, directly or not, in the order of ``after``."""
    return [
        frozenset(group)
        for group in _groups({name: sorted(others) for name, others in after.items()})
        if len(group) > 1
    ]


def _groups(after: Mapping[_Node, list[_Node]]) -> Iterator[list[_Node]]:
    number: dict[_Node, int] = {}
    lowest: dict[_Node, int] = {}
    stack: list[_Node] = []
    on_stack: set[_Node] = set()
    for root in after:
        if root in number:
            continue
        work: list[tuple[_Node, Iterator[_Node]]] = [(root, iter(after[root]))]
        number[root] = lowest[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, others = work[-1]
            other = next((one for one in others if one in after), None)
            if other is None:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    group = stack[stack.index(node) :]
                    del stack[-len(group) :]
                    on_stack.difference_update(group)
                    yield group
            elif other not in number:
                number[other] = lowest[other] = len(number)
                stack.append(other)
                on_stack.add(other)
                work.append((other, iter(after[other])))
            elif other in on_stack:
                lowest[node] = min(lowest[node], number[other])


def shortest(after: Mapping[_Node, Iterable[_Node]], cycle: frozenset[_Node]) -> list[_Node]:
    """A shortest way from the first node of ``cycle`` back to it, that component at both ends."""
    start = min(cycle)
    came_from: dict[_Node, _Node] = {}
    waiting = [start]
    for name in waiting:
        for other in sorted(set(after[name]) & cycle):
            if other == start:
                way = [start, name]
                while way[-1] != start:
                    way.append(came_from[way[-1]])
                return way[::-1] if way[-1] == start and len(way) > 1 else way
            if other not in came_from:
                came_from[other] = name
                waiting.append(other)
    raise AssertionError("a cycle has a way back")
