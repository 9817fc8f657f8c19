"""When a failed request is tried again, and how long that takes."""

from __future__ import annotations

import math
import re
import time
from email.utils import parsedate_to_datetime
from typing import Final

from cluster_forge.adapters.http.policy import Policy
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError
from cluster_forge.ports.progress import Transfers

_MOST_DIGITS: Final = 12
_UNLIKELY: Final = 3
"""Retries of what is more often there to stay."""


class TemporaryError(FetchError):
    """A failure that may be gone in ``wait`` seconds: a busy server, a broken connection. ``reason`` says it in a word.

    ``is_unlikely``: it is more often there to stay, such as a port that nothing listens on.
    """

    def __init__(  # noqa: PLR0913 - an error, and when to try again
        self,
        message: str,
        *,
        where: str | None = None,
        fix: str | None = None,
        reason: str = "",
        wait: float = 0.0,
        is_unlikely: bool = False,
    ) -> None:
        super().__init__(message, where=where, fix=fix)
        self.reason = reason
        self.wait = wait
        self.is_unlikely = is_unlikely

    def lasting(self) -> FetchError:
        """The same failure as the final one."""
        return FetchError(self.message, where=self.where, fix=self.fix)


class Attempts:
    """The attempts at one request to ``host``, until ``end`` (monotonic seconds)."""

    def __init__(self, policy: Policy, host: str, end: float, transfers: Transfers) -> None:
        self._policy = policy
        self._host = host
        self.end = end
        self._transfers = transfers
        self._failed = 0
        self._last = ""

    @property
    def left(self) -> float:
        """Seconds until the end."""
        return self.end - time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds that a response may pause."""
        return self._policy.timeouts.silence

    def succeeded(self) -> None:
        """Something came: the attempts are counted from here."""
        self._failed = 0

    def late(self, url: str) -> FetchError:
        """The error for an address that took longer than a whole download may take."""
        before = f" (the last problem before: {self._last})" if self._last else ""
        return FetchError(
            f"{without_credentials(url)} was not complete after {self._policy.timeouts.whole:g} s{before}",
            fix="give it more time with --timeout SECONDS, try again later, or use a mirror that has it: --mirror DIR",
        )

    def pause(self, failure: TemporaryError) -> bool:
        """Wait before the next attempt. False if there is none: too many have failed, or the server asks for too much time.

        Full jitter: anything between nothing and the longest pause, which doubles each time.
        """
        retries = min(self._policy.retries, _UNLIKELY if failure.is_unlikely else self._policy.retries)
        if self._failed >= retries or failure.wait > self._policy.longest_wait:
            return False
        longest = min(self._policy.longest_pause, self._policy.first_pause * 2.0**self._failed)
        seconds = max(failure.wait, longest * self._policy.jitter())
        if seconds >= self.left:
            return False
        self._failed += 1
        self._last = failure.reason
        self._transfers.waiting(self._host, seconds, failure.reason)
        time.sleep(seconds)
        return True


def seconds_to_wait(retry_after: str | None) -> float:
    """The meaning of ``Retry-After`` (RFC 9110, 10.2.3): a number of seconds, or a date. 0 if it is neither."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return float(text) if len(text) < _MOST_DIGITS else math.inf
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError, OSError, TypeError):  # not a date, or one that no calendar has
        return 0.0
