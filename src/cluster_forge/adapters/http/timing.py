"""How long a request may take, and when a failed one is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from cluster_forge.foundation.errors import FetchError

_LONGEST_WAIT: Final = 20.0
"""Seconds that a server may ask for; if it asks for more, the request fails."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: for a connection, between two parts of a response, and for the whole body of one."""

    connect: float = 10.0
    silence: float = 30.0
    body: float = 900.0


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


def seconds_to_wait(retry_after: str | None) -> float:
    """The meaning of ``Retry-After`` (RFC 9110, 10.2.3): a number of seconds, or a date. 0 if it is neither."""
    if not retry_after:
        return 0.0
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0
