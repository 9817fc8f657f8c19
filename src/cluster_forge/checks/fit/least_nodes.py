"""The least number of nodes of one group that would do, with the others as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cluster_forge.checks.fit import search
from cluster_forge.checks.fit.budget import Budget
from cluster_forge.checks.fit.demand import Demand, Stay
from cluster_forge.checks.fit.nodes import PODS, NodeGroup

STEPS: Final = 300_000
"""Pods that are placed and nodes that are looked at for one stack; with that spent, the best number so far is the answer."""
_OF_ONE: Final = 30_000
"""Steps of one trial, if there are not more Pods: none may leave nothing for the others."""
_LEAST = 64
_TIMES = 8
"""More nodes than this many, and than so many times the given ones, are not tried."""
_FINE = 64
"""The first step up is so small a part of the number that the sums ask for."""


def least(
    groups: Sequence[NodeGroup], number: int, demands: Sequence[Demand], budget: Budget, *, is_placed: bool
) -> int | None:
    """The smallest count of the group ``number`` for which a placement was found; None if many nodes do not do.

    ``is_placed``: whether one was found for the given count. More nodes never hurt but for odd constraints (a spread over more
    domains), so the boundary is looked for from below, in growing steps, and then by halving.
    """
    trials = _Trials(tuple(groups), number, demands, budget)
    given = groups[number].count
    low = max(_by_sums(groups, number, demands) - 1, 0 if is_placed else given)
    high = trials.upward(low, given if is_placed else max(_LEAST, _TIMES * given), is_known=is_placed)
    if high is None:
        return None
    low = max(trials.failed, low)
    while low + 1 < high and not budget.is_spent:
        middle = (low + high) // 2
        low, high = (low, middle) if trials.is_placed(middle) else (middle, high)
    return 0 if high == 1 and len(groups) > 1 and trials.is_placed(0) else high


@dataclass(slots=True)
class _Trials:
    groups: tuple[NodeGroup, ...]
    number: int
    demands: Sequence[Demand]
    budget: Budget
    failed: int = 0
    """The largest count that was not enough on the way up."""

    def upward(self, low: int, most: int, *, is_known: bool) -> int | None:
        """A count that is enough, above ``low``; ``most`` is the largest one to try, which is enough if that ``is_known``."""
        step = max(low // _FINE, 1)
        while not self.budget.is_spent:
            count = min(low + step, most)
            if count <= low or (is_known and count == most):
                break
            if self.is_placed(count):
                return count
            self.failed = low = count
            step *= 2
        return most if is_known else None

    def is_placed(self, count: int) -> bool:
        """Whether a placement is found with so many nodes."""
        changed = replace(self.groups[self.number], count=count, names=())
        groups = [*self.groups[: self.number], changed, *self.groups[self.number + 1 :]]
        pods = sum(demand.count for demand in self.demands)
        own = Budget(min(max(pods, _OF_ONE), self.budget.left))
        steps = own.left
        is_placed = search.is_placed(groups, self.demands, own)
        self.budget.left -= pods + steps - own.left
        return is_placed


def _by_sums(groups: Sequence[NodeGroup], number: int, demands: Sequence[Demand]) -> int:
    """So many nodes are asked for by the sums of what is requested alone."""
    wanted: dict[str, int] = {}
    for demand in demands:
        if demand.stay is not Stay.EACH_NODE:
            for name, amount in (*demand.pod.requests, (PODS, 1)):
                wanted[name] = wanted.get(name, 0) + amount * demand.count
    least_ = 0
    for name, amount in wanted.items():
        others = sum(
            group.count * max(group.capacity.get(name, 0), 0) for one, group in enumerate(groups) if one != number
        )
        of_each = groups[number].capacity.get(name, 0)
        if of_each > 0 and not any(name in group.unlimited for group in groups):
            least_ = max(least_, -((others - amount) // of_each))
    return least_
