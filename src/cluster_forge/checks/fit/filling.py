"""Placing Pods of one task on a board, best node first.

`NodeQueue` keeps all nodes in the order of their scores, from one task to the next, so a Pod mostly takes the first node. Nodes
that do not take it are skipped, and come back when the task is done, or when what a constraint counts has changed. Topologies
with few domains would skip most nodes again and again: for each of them there is a heap for each of their domains. A heap may
hold a node with a score that it no longer has: what got worse is corrected once it is at the top, what got better at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush, heapreplace

from cluster_forge.checks.fit.board import Board
from cluster_forge.checks.fit.budget import Budget
from cluster_forge.checks.fit.task import SpreadRule, Task

Score = Callable[[Board, int], float]
"""Of a node; the smaller, the better."""
_FEW = 32
"""Domains of a coarse topology: zones, not host names."""
_REMEMBERED = 32
"""Requests that are remembered as too large: of one resource there is but one."""
_NARROW = 8
"""A task that may run on less than one node of so many looks at its own nodes alone."""
_Entry = tuple[float, int]
"""A score of a node, and its number."""
_Cells = dict[tuple[int, ...], list[_Entry]]
"""A heap of nodes for each combination of coarse domains."""


def emptiest(board: Board, node: int) -> float:
    """As kube-scheduler scores by default (NodeResourcesFit, LeastAllocated): the node with most CPU and memory left."""
    free, capacity = board.free[node], board.capacity[node]
    cpu, memory = capacity[0], capacity[1]
    return -((free[0] / cpu if cpu else 0) + (free[1] / memory if memory else 0))


def fullest(board: Board, node: int) -> float:
    """The node with least left (MostAllocated); those with extended resources come last."""
    return 10 * board.extended[node] - emptiest(board, node)


class NodeQueue:
    """The nodes of a board by score; what changes the board in between goes through `put`.

    With a ``budget``, each node that is looked at counts, and nothing is placed once that is spent.
    """

    def __init__(self, board: Board, score: Score, budget: Budget | None = None) -> None:
        self.board = board
        self.score = score
        self.budget = budget or Budget(1 << 62)
        self._scores = [score(board, node) for node in range(len(board.free))]
        self._heap = self._entries(range(len(board.free)))
        heapify(self._heap)
        self._topologies: dict[tuple[int, ...], tuple[list[Sequence[int]], _Cells]] = {}
        """The cells of coarse topologies, by the identities of the domains of all nodes, which are kept beside them."""

        self._too_large: list[dict[int, int]] = []
        """Requests for which no node has room: what is placed leaves less, so that nothing larger need be looked for."""

    def put(self, task: Task, node: int) -> None:
        """Place a Pod, which must be allowed to come."""
        if self._put(task, node):
            self._push([node], ())

    def _put(self, task: Task, node: int) -> bool:
        """Place a Pod; whether its node is better now, so that the heaps must have it again."""
        self.board.put(task, node)
        former, score = self._scores[node], self.score(self.board, node)
        self._scores[node] = score
        return score < former

    def _push(self, nodes: Iterable[int], present: Iterable[list[_Entry]]) -> None:
        """Put nodes that are better now into all heaps that are kept, but for those that have them."""
        known = set(map(id, present))
        for node in nodes:
            entry = (self._scores[node], node)
            kept = (cells[tuple(domain[node] for domain in domains)] for domains, cells in self._topologies.values())
            for heap in (self._heap, *kept):
                if id(heap) not in known:
                    heappush(heap, entry)

    def fill(self, task: Task, count: int) -> list[int]:
        """Place up to ``count`` Pods; the node of each one that found a place."""
        if self.budget.is_spent or any(_is_at_least(dict(task.vector), least) for least in self._too_large):
            return []
        placed = self._filled(task, count)
        is_everywhere = task.is_plain and len(task.nodes) == len(self.board.free)
        if len(placed) < count and is_everywhere and self.budget.left > 0 and len(self._too_large) < _REMEMBERED:
            least = dict(task.vector)
            self._too_large = [*(one for one in self._too_large if not _is_at_least(one, least)), least]
        return placed

    def _filled(self, task: Task, count: int) -> list[int]:
        counters = self.board.counters
        coarse = [rule for rule in task.spreads if counters[rule.counter].size <= _FEW]
        domains = [counters[rule.counter].domains for rule in coarse]
        if len(task.nodes) * _NARROW < len(self.board.free):
            return self._fill(task, count, coarse, self._split(domains, task.nodes))
        if not coarse:
            return self._fill(task, count, (), {(): self._heap})
        return self._fill(task, count, coarse, self._cells(domains))

    def _cells(self, domains: list[Sequence[int]]) -> _Cells:
        """All nodes by their domains in several topologies, kept from one task to the next."""
        key = tuple(map(id, domains))
        if key not in self._topologies:
            self._topologies[key] = domains, self._split(domains, range(len(self.board.free)))
        return self._topologies[key][1]

    def _split(self, domains: Sequence[Sequence[int]], nodes: Iterable[int]) -> _Cells:
        cells: _Cells = {}
        for entry in self._entries(nodes):
            cells.setdefault(tuple(domain[entry[1]] for domain in domains), []).append(entry)
        for heap in cells.values():
            heapify(heap)
        return cells

    def _entries(self, nodes: Iterable[int]) -> list[_Entry]:
        scores, closed = self._scores, self.board.closed
        return [(scores[node], node) for node in nodes if node not in closed]

    def _fill(self, task: Task, count: int, coarse: Sequence[SpreadRule], cells: _Cells) -> list[int]:
        """Place Pods on the best nodes of the cells that the ``coarse`` rules leave open."""
        board, budget = self.board, self.budget
        nodes = task.node_set if len(task.nodes) < len(board.free) else None
        has_room, is_allowed, scores = board.has_room, board.is_allowed, self._scores
        is_free = task.is_plain or (len(coarse) == len(task.spreads) and task.is_spread_only)
        heap = next(iter(cells.values())) if len(cells) == 1 and not coarse else None
        placed: list[int] = []
        better: set[int] = set()
        skipped: list[tuple[list[_Entry], _Entry]] = []
        former = _watched(board, task)
        while len(placed) < count and budget.left > 0:
            best = self._best(cells, coarse) if heap is None else self._refreshed(heap)
            if not best:
                break
            node = best[0][1]
            budget.left -= 1
            if (nodes is None or node in nodes) and has_room(task, node) and (is_free or is_allowed(task, node)):
                if self._put(task, node):
                    better.add(node)
                heapreplace(best, (scores[node], node))
                placed.append(node)
                if former and skipped and (now := _watched(board, task)) != former:
                    former = now
                    _return(skipped)
            else:
                skipped.append((best, heappop(best)))
        _return(skipped)
        self._push(better, cells.values())
        return placed

    def _best(self, cells: _Cells, coarse: Sequence[SpreadRule]) -> list[_Entry] | None:
        """The heap with the best node."""
        allows = self.board.allows
        best: list[_Entry] | None = None
        for heap in cells.values():
            if self._refreshed(heap) and (best is None or heap[0] < best[0]):
                for rule in coarse:
                    if not allows(rule, heap[0][1]):
                        break
                else:
                    best = heap
        return best

    def _refreshed(self, heap: list[_Entry]) -> list[_Entry]:
        """A heap whose first node, if there is one, has its present score."""
        scores = self._scores
        while heap:
            score, node = heap[0]
            now = scores[node]
            if score == now:
                break
            if score < now:
                heapreplace(heap, (now, node))
            else:
                heappop(heap)
        return heap


def _is_at_least(requests: dict[int, int], least: dict[int, int]) -> bool:
    return all(requests.get(resource, 0) >= amount for resource, amount in least.items())


def _return(skipped: list[tuple[list[_Entry], _Entry]]) -> None:
    """Nodes that were skipped come back."""
    for heap, entry in skipped:
        heappush(heap, entry)
    skipped.clear()


def _watched(board: Board, task: Task) -> tuple[int, ...]:
    """What changes where nodes that were skipped may take Pods again; empty if nothing does."""
    if task.is_plain:
        return ()
    counters = board.counters
    return (
        *(counters[rule.counter].low for rule in task.spreads if counters[rule.counter].size > _FEW),
        *(min(counters[number].total, 1) for number in task.attracts),
    )
