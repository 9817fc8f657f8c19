"""Many calls at once on threads. Helm's engine, hashing and I/O release the interpreter's lock, so threads suffice."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from queue import Empty, PriorityQueue
from typing import Any, Self, TypeVar

from cluster_forge.foundation.error_groups import gathered
from cluster_forge.ports.workers import Queue

Item = TypeVar("Item")
Result = TypeVar("Result")


class ThreadWorkers:
    """`ports.Workers` on at most ``jobs`` threads for each `map` and `queue`; with one, on the caller's own.

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
        with self._queue(len(pending)) as queue:
            return gathered(queue.add(function, pending, weight=weight))

    def queue(self) -> AbstractContextManager[Queue]:
        return self._queue(self._jobs)

    def _queue(self, most: int) -> AbstractContextManager[Queue]:
        threads = min(self._jobs, most)
        return _ThreadQueue(threads) if threads > 1 else nullcontext(_OwnThread())


class _OwnThread:
    """`ports.Queue` on the thread of the one that waits for a call."""

    def add(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        weight: Callable[[Item], int] | None = None,  # noqa: ARG002 - the port's signature
    ) -> list[Callable[[], Result]]:
        return [partial(function, item) for item in items]


class _ThreadQueue:
    """`ports.Queue` on threads of its own."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="worker")
        self._numbers = itertools.count()
        self._waiting: PriorityQueue[tuple[int, int, Callable[[], Any], Future[Any]]] = PriorityQueue()

    def add(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, weight: Callable[[Item], int] | None = None
    ) -> list[Callable[[], Result]]:
        futures: list[Future[Result]] = []
        for item in items:
            future: Future[Result] = Future()
            futures.append(future)
            priority = -weight(item) if weight else 0
            self._waiting.put((priority, next(self._numbers), partial(function, item), future))
        for _ in futures:
            self._pool.submit(self._run_heaviest)
        return [future.result for future in futures]

    def _run_heaviest(self) -> None:
        _, _, call, future = self._waiting.get_nowait()
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - raised by the future's `result`
            future.set_exception(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Calls in progress are not waited for: after an error or Ctrl-C their results are not needed."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with suppress(Empty):
            while True:
                self._waiting.get_nowait()[-1].cancel()
