"""Threads that run many calls at once. Helm's engine, hashing and I/O leave the interpreter's lock, so they suffice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cluster_forge.foundation.errors import ForgeError, leaves, raise_all

Item = TypeVar("Item")
Result = TypeVar("Result")


class ThreadWorkers:
    """`ports.Workers` on at most ``jobs`` threads; with one, on the caller's own.

    Every call is finished before its errors are raised, in the order of the items, whatever order they came in. A bug
    (anything that is no `ForgeError`) and Ctrl-C end the run at once: what has not begun does not begin.
    """

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise ValueError(f"not a number of workers: {jobs}")
        self._jobs = jobs

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, weight: Callable[[Item], int] | None = None
    ) -> list[Result]:
        todo = list(items)
        if self._jobs == 1 or len(todo) < 2:
            return _gathered(_call(function, item) for item in todo)
        pool = ThreadPoolExecutor(min(self._jobs, len(todo)), thread_name_prefix="worker")
        try:
            order = list(range(len(todo)))
            if weight:
                order.sort(key=lambda place: -weight(todo[place]))
            begun = {place: pool.submit(_call, function, todo[place]) for place in order}
            results = _gathered(begun[place].result() for place in range(len(todo)))
        except BaseException:
            # Not only Exception: Ctrl-C must not wait for what it is meant to stop.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
        return results


def _call(function: Callable[[Item], Result], item: Item) -> Result | _Failure:
    """The function's result, or the errors that the user has to see.

    Raises:
        Exception: a bug, as it is.
    """
    try:
        return function(item)
    except ForgeError as error:
        return _Failure((error,))
    except ExceptionGroup as group:
        errors = tuple(error for error in leaves(group) if isinstance(error, ForgeError))
        if len(errors) < sum(1 for _ in leaves(group)):
            raise
        return _Failure(errors)


class _Failure:
    __slots__ = ("errors",)

    def __init__(self, errors: tuple[ForgeError, ...]) -> None:
        self.errors = errors


def _gathered(outcomes: Iterable[Result | _Failure]) -> list[Result]:
    results: list[Result] = []
    errors: list[ForgeError] = []
    for outcome in outcomes:
        if isinstance(outcome, _Failure):
            errors += outcome.errors
        else:
            results.append(outcome)
    raise_all(errors)
    return results
