"""Limits of time that hold whatever a server does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Call(Generic[Result]):
    """A call in a thread of its own, so that nothing can keep the caller longer than it waits.

    The time-outs of a socket are not enough: each byte of a header, and each ``100 Continue``, begins them again, and
    looking up a name has none. The thread of a call that was given up ends when the server sends something or the socket's
    time-out ends; its result is ``discarded`` then.
    """

    def __init__(self, work: Callable[[], Result], discard: Callable[[Result], None]) -> None:
        self._work = work
        self._discard = discard
        self._done = threading.Event()
        self._guard = threading.Lock()
        self._is_given_up = False
        self._result: Result | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="request", daemon=True).start()

    def result(self, end: Callable[[], float]) -> Result:
        """The result of the work, or its exception. ``end`` (monotonic seconds) may move while the call is in progress.

        Raises:
            TimeoutError: if it is not there in time.
        """
        while not self._done.wait(max(0.0, end() - time.monotonic())):
            if end() <= time.monotonic():
                self._give_up()
                raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value] # set, as there is no error

    def _give_up(self) -> None:
        with self._guard:
            self._is_given_up = True
            if self._done.is_set() and self._error is None:
                self._discard(self._result)  # type: ignore[arg-type] # set, as there is no error

    def _run(self) -> None:
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            self._error = error
            self._done.set()
            return
        with self._guard:
            if self._is_given_up:
                self._discard(result)
            self._result = result
            self._done.set()
