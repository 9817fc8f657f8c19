"""What an evaluation may cost: counted, not timed, so that the result is the same on every machine."""

from __future__ import annotations

from typing import Final

from cluster_forge.cel.errors import BudgetExceededError

CHARACTERS: Final = 10
"""Characters or bytes of text that are looked at for one unit (cel-go: ``StringTraversalCostFactor``)."""


class Budget:
    """Units that are left. One is about a microsecond: a name, a field, an operator, an entry of a list."""

    __slots__ = ("left",)

    def __init__(self, units: int) -> None:
        self.left = units

    def spend(self, units: int) -> None:
        """Take units.

        Raises:
            BudgetExceededError: if there are not so many.
        """
        self.left -= units
        if self.left < 0:
            raise BudgetExceededError("evaluating the expression takes too long")

    def traverse(self, length: int) -> None:
        """Take what looking at a text of a length costs."""
        self.spend(1 + length // CHARACTERS)
