"""How many Pods of a kind there are in each domain of a topology: what affinity and spread constraints count."""

from __future__ import annotations

from collections.abc import Sequence

NOWHERE = -1
"""The domain of a node that does not count."""


class Counter:
    """``domains`` is the domain of each node, by number, `NOWHERE` for one without; ``size`` how many domains there are.

    ``low`` is the smallest number of Pods in any domain; it is kept up to date with each change.
    """

    __slots__ = ("_levels", "counts", "domains", "low", "size", "total")

    def __init__(self, domains: Sequence[int], size: int) -> None:
        self.domains = domains
        self.size = size
        self.counts = [0] * size
        self.total = 0
        self.low = 0
        self._levels = {0: size}

    def change(self, node: int, by: int) -> None:
        """Count a Pod that a node got (``by`` 1), or lost (-1)."""
        domain = self.domains[node]
        if domain == NOWHERE:
            return
        former = self.counts[domain]
        self.counts[domain] = former + by
        self.total += by
        levels = self._levels
        levels[former] -= 1
        levels[former + by] = levels.get(former + by, 0) + 1
        if by < 0:
            self.low = min(self.low, former + by)
        else:
            while not levels.get(self.low):
                self.low += 1

    def at(self, node: int) -> int:
        """The Pods in a node's domain; none if it has no domain."""
        domain = self.domains[node]
        return self.counts[domain] if domain != NOWHERE else 0
