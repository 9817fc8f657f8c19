"""Parallel calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Queue(Protocol):
    """Calls that run while others are still being added, from any thread."""

    def add(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, weight: Callable[[Item], int] | None = None
    ) -> list[Callable[[], Result]]:
        """Add a call for each item. For each, in their order: what waits for it, and returns its result or raises its error.

        Of all calls that wait, those of most weight start first.
        """


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

    def queue(self) -> AbstractContextManager[Queue]:
        """A queue for as long as the context lasts: calls that have not started by its end never do."""
