"""The work that a search may do: counted, so that the same stack always gets the same answer."""

from __future__ import annotations


class Budget:
    """``left`` steps: each is a node that is looked at for a Pod."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be done."""
        return self.left <= 0
