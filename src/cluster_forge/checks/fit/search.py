"""Whether Pods fit on nodes: a placement as the scheduler makes it, else a better one, else a proof that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from cluster_forge.checks.fit import placement as placing
from cluster_forge.checks.fit.board import Board
from cluster_forge.checks.fit.bounds import Bounds, Shortage
from cluster_forge.checks.fit.budget import Budget
from cluster_forge.checks.fit.demand import Demand
from cluster_forge.checks.fit.nodes import NodeGroup, Nodes
from cluster_forge.checks.fit.placement import Item, Placement, Way
from cluster_forge.checks.fit.pod_class import PodClass
from cluster_forge.checks.fit.rearranging import rearranged
from cluster_forge.checks.fit.task import Compiler

_ROUNDS: Final = 12
"""How often what found no place goes first in the next round."""
_STEPS: Final = 250_000
"""Nodes that are looked at for a Pod at most to pack what the scheduler's way left over; a second of CPU."""


class Verdict(StrEnum):
    FITS = "fits"
    """All Pods have a node, in the order and with the preferences of the scheduler."""
    TIGHT = "tight"
    """There is a placement of all Pods, but the scheduler, which moves no Pod, may not find it."""
    NOT_PLACED = "not-placed"
    """No placement of all Pods was found, and no proof that there is none."""
    DOES_NOT_FIT = "does-not-fit"
    """No placement of all Pods exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """``placement`` has all Pods unless the verdict says otherwise; ``shortages`` prove it."""

    verdict: Verdict
    placement: Placement
    bounds: Bounds
    shortages: tuple[Shortage, ...] = ()
    is_cut: bool = False
    """Whether the search ended before it had tried all its ways, because it had done as much as it may."""

    @property
    def is_placed(self) -> bool:
        return self.verdict in (Verdict.FITS, Verdict.TIGHT)


def search(
    groups: Sequence[NodeGroup],
    demands: Sequence[Demand],
    others: Sequence[PodClass] = (),
    *,
    closed: frozenset[int] = frozenset(),
    budget: Budget | None = None,
) -> Result:
    """Look for a placement of all ``demands``; ``others`` are classes that will be asked for on its board later.

    The ``budget`` (its own by default) is for all that comes after the scheduler's way.
    """
    compiler = Compiler(Nodes(groups), [*(demand.pod for demand in demands), *others])
    items = placing.items_of(demands, compiler)
    bounds = Bounds(compiler, items, closed)
    first = placing.place(items, Board(compiler, closed), placing.scheduled())
    if first.is_complete:
        return Result(verdict=Verdict.FITS, placement=first, bounds=bounds)
    if shortages := bounds.shortages():
        return Result(verdict=Verdict.DOES_NOT_FIT, placement=first, bounds=bounds, shortages=tuple(shortages))
    budget = budget or Budget(_STEPS)
    best = _Packing(compiler, items, closed, budget).best(first)
    verdict = Verdict.TIGHT if best.is_complete else Verdict.NOT_PLACED
    return Result(
        verdict=verdict, placement=best, bounds=bounds, is_cut=verdict is Verdict.NOT_PLACED and budget.is_spent
    )


def is_placed(groups: Sequence[NodeGroup], demands: Sequence[Demand], budget: Budget) -> bool:
    """Whether `search` would place all ``demands``, with a ``budget`` for what comes after the scheduler's way."""
    compiler = Compiler(Nodes(groups), [demand.pod for demand in demands])
    items = placing.items_of(demands, compiler)
    first = placing.place(items, Board(compiler), replace(placing.scheduled(), is_all_or_none=True))
    if first.is_complete or Bounds(compiler, items).shortages():
        return first.is_complete
    return _Packing(compiler, items, frozenset(), budget).best(first).is_complete


@dataclass(frozen=True, slots=True)
class _Packing:
    """Placements of the same items on the same nodes."""

    compiler: Compiler
    items: Sequence[Item]
    closed: frozenset[int]
    budget: Budget

    def best(self, best: Placement) -> Placement:
        """The best of several placements, each with Pods moved for what was left over, beside one that is there."""
        ways = placing.packed(best.board)
        for way in ways:
            best = _better(best, self._placed(way, {}))
            if best.is_complete or self.budget.is_spent:
                return best
        for way in ways:
            early: dict[int, int] = {}
            for _ in range(_ROUNDS):
                trial = self._placed(way, early)
                best = _better(best, trial)
                if best.is_complete or self.budget.is_spent:
                    return best
                if all(self.items[number].is_daemon for number in trial.missing):
                    return best
                for number in trial.missing:
                    early[number] = early.get(number, 0) + 1
        return best

    def _placed(self, way: Way, early: dict[int, int]) -> Placement:
        board = Board(self.compiler, self.closed)
        return rearranged(placing.place(self.items, board, way, early, self.budget), self.budget)


def _better(one: Placement, other: Placement) -> Placement:
    return other if other.lacking < one.lacking else one
