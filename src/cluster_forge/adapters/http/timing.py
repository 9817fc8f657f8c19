"""How long a request may take, and when a failed one is tried again."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Generic, TypeVar

from cluster_forge.foundation.errors import FetchError

_LONGEST_WAIT: Final = 20.0
"""Seconds that a server may ask for; if it asks for more, the request fails."""

_MOST_DIGITS: Final = 12

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: for a connection, between two parts of a response, until its headers are there, and for all of it."""

    connect: float = 10.0
    silence: float = 30.0
    headers: float = 60.0
    whole: float = 900.0


class TemporaryError(Exception):
    """A failure that may be gone in ``wait`` seconds: a busy server, a broken connection."""

    def __init__(self, error: FetchError, wait: float = 0.0) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait = wait


def with_retries(request: Callable[[], Result], pauses: Sequence[float]) -> Result:
    """The result of ``request``, tried again after each of ``pauses`` (seconds), or later if the server says so.

    Raises:
        FetchError: the failure of the last attempt.
    """
    for pause in pauses:
        try:
            return request()
        except TemporaryError as failure:
            if failure.wait > _LONGEST_WAIT:
                raise failure.error from failure
            time.sleep(max(pause, failure.wait))
    try:
        return request()
    except TemporaryError as failure:
        raise failure.error from failure


class Exchange(Generic[Result]):
    """A request and its response in a thread of their own, so that no server can keep the caller longer than it waits.

    The timeouts of a socket are not enough: each byte of a header, and each ``100 Continue``, begins them again. A thread
    that is given up closes its connection itself as soon as the server sends something or the socket's timeout ends.
    """

    def __init__(self, work: Callable[[Callable[[], None]], Result]) -> None:
        """Start ``work``, which calls its argument when the headers are there."""
        self._work = work
        self._answered = threading.Event()
        self._done = threading.Event()
        self._result: Result | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="download", daemon=True).start()

    def result(self, timeouts: Timeouts, end: float) -> Result:
        """The result of the work, or its exception; ``end`` (monotonic seconds) is when redirects included it must be there.

        Raises:
            TimeoutError: if the headers or the whole response take too long; its text says which.
        """
        left = end - time.monotonic()
        if not self._answered.wait(min(timeouts.headers, left)) and timeouts.headers < left:
            raise TimeoutError(f"had not answered after {timeouts.headers:g} s")
        if not self._done.wait(max(0.0, end - time.monotonic())):
            raise TimeoutError(f"was not complete after {timeouts.whole:g} s")
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value] # set, as there is no error

    def _run(self) -> None:
        try:
            self._result = self._work(self._answered.set)
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            self._error = error
        finally:
            self._done.set()
            self._answered.set()


def seconds_to_wait(retry_after: str | None) -> float:
    """The meaning of ``Retry-After`` (RFC 9110, 10.2.3): a number of seconds, or a date. 0 if it is neither."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return float(text) if len(text) < _MOST_DIGITS else math.inf
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError, OSError, TypeError):  # not a date, or one that no calendar has
        return 0.0
