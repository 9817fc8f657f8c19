"""Many calls at once on threads. Helm's engine, hashing and I/O release the interpreter's lock, so threads suffice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cluster_forge.foundation.errors import ForgeError, leaves, raise_all

Item = TypeVar("Item")
Result = TypeVar("Result")


class ThreadWorkers:
    """`ports.Workers` on at most ``jobs`` threads; with one, on the caller's own.

    All calls are finished before their errors are raised, in the order of the items. A bug (anything that is not a
    `ForgeError`) and Ctrl-C end the run at once: calls that have not started do not start.
    """

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise ValueError(f"invalid number of jobs: {jobs}")
        self._jobs = jobs

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, weight: Callable[[Item], int] | None = None
    ) -> list[Result]:
        pending = list(items)
        if self._jobs == 1 or len(pending) < 2:
            return _results(_call(function, item) for item in pending)
        pool = ThreadPoolExecutor(min(self._jobs, len(pending)), thread_name_prefix="worker")
        try:
            order = list(range(len(pending)))
            if weight:
                order.sort(key=lambda index: -weight(pending[index]))
            futures = {index: pool.submit(_call, function, pending[index]) for index in order}
            results = _results(futures[index].result() for index in range(len(pending)))
        except BaseException:  # also Ctrl-C, which must not wait for the calls that it stops
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
        return results


def _call(function: Callable[[Item], Result], item: Item) -> Result | _Failure:
    """The function's result, or its errors for the user.

    Raises:
        Exception: a bug, unchanged.
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


def _results(outcomes: Iterable[Result | _Failure]) -> list[Result]:
    results: list[Result] = []
    errors: list[ForgeError] = []
    for outcome in outcomes:
        if isinstance(outcome, _Failure):
            errors += outcome.errors
        else:
            results.append(outcome)
    raise_all(errors)
    return results
