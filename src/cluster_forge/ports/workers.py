"""Parallel calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers(Protocol):
    """Runs calls in parallel."""

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, weight: Callable[[Item], int] | None = None
    ) -> list[Result]:
        """The results in the order of ``items``.

        The items of most ``weight`` start first: otherwise the largest could start last, and all would wait for it.

        Raises:
            ExceptionGroup: the ForgeErrors of all calls, after the last call; a bug is raised as it is.
        """
