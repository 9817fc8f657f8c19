"""Running many calls in parallel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers(Protocol):
    """Runs many calls at once."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, weight: Callable[[Item], int] | None = None
    ) -> list[Result]:
        """Results in the order of ``items``, whatever order they finished in.

        The items of most ``weight`` are begun first: or the largest would keep the others waiting at the end.

        Raises:
            ExceptionGroup: every ForgeError that a call raised (all calls are finished first); a bug passes as it is.
        """
