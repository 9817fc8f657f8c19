"""A response whose body is still to be read."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from cluster_forge.adapters.http import failures
from cluster_forge.adapters.http.retrying import Attempts, TemporaryError, seconds_to_wait
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

CHUNK: Final = 1 << 18
_KEPT: Final = 1 << 14
"""Bytes of a body that nothing asks for: fewer are read to keep the connection, more are not."""
_LEAST: Final = 1 << 10


class _Pace:
    """Whether a body comes so slowly that it had better be requested again: less than 1 KiB in ``seconds`` of waiting."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waited = 0.0
        self._bytes = 0

    def check(self, url: str, count: int, waited: float) -> None:
        """Raises TemporaryError if the last parts came too slowly."""
        self._waited += waited
        self._bytes += count
        if self._bytes >= _LEAST:
            self._waited, self._bytes = 0.0, 0
        elif self._waited > self._seconds:
            raise TemporaryError(
                f"{without_credentials(url)} came too slowly: {self._bytes:,} bytes in {self._waited:.0f} s",
                fix=failures.LATER,
                reason="too slow",
            )


class Response:
    """Status, headers (their names in any case) and body, as sent; ``url`` is the address after redirects.

    It ends with the time of its ``attempts``, whatever the server does.
    """

    def __init__(  # noqa: PLR0913 - where it is from, and who waits for it
        self,
        raw: BaseHTTPResponse,
        url: str,
        attempts: Attempts,
        *,
        credential: str = "",
        when_read: Callable[[int], None] = lambda _count: None,
        when_closed: Callable[[], None] = lambda: None,
    ) -> None:
        self.url = url
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers
        self.challenges = tuple(raw.headers.getlist("WWW-Authenticate"))
        self._raw = raw
        self._attempts = attempts
        self._expected = raw.length_remaining or 0
        self._credential = credential
        self._when_read = when_read
        self._when_closed = when_closed
        self._received = 0
        self._kept = b""
        self._pace = _Pace(attempts.silence)
        self._is_late = self._is_closed = False
        self._clock = threading.Timer(max(0.0, attempts.left), self._stop)
        self._clock.daemon = True
        self._clock.start()

    def read(self, count: int = CHUNK) -> bytes:
        """The next bytes of the body, at most ``count``; none at its end.

        Raises:
            TemporaryError: if it was interrupted.
            FetchError: if its time is over.
        """
        if self._is_closed:
            content, self._kept = self._kept[:count], self._kept[count:]
            return content
        began = time.monotonic()
        try:
            content = self._raw.read1(count, decode_content=False) if count else b""
        except (HTTPError, OSError, ValueError) as error:  # ValueError: it was closed when its time was over
            if self._is_late:
                raise self._attempts.late(self.url) from error
            raise failures.of_connection(self.url, error) from error
        if self._is_late:
            raise self._attempts.late(self.url)
        self._received += len(content)
        self._when_read(len(content))
        self._pace.check(self.url, len(content), time.monotonic() - began)
        if not content and count and self._received < self._expected:
            raise TemporaryError(
                f"{without_credentials(self.url)} was interrupted: "
                f"{self._received:,} of {self._expected:,} bytes received",
                fix=failures.LATER,
                reason="interrupted",
            )
        return content

    def failure(self) -> FetchError:
        """The error for the status: a `TemporaryError` if it may go away."""
        return failures.of_status(self.url, self.status, self.wait, self._credential)

    @property
    def wait(self) -> float:
        """The seconds that the server asks for in ``Retry-After``."""
        return seconds_to_wait(self.headers.get("Retry-After"))

    def settle(self) -> None:
        """Keep the beginning of the body to be read, and give the connection back."""
        with contextlib.suppress(FetchError):
            while len(self._kept) < _KEPT and (content := self.read(_KEPT)):
                self._kept += content
        self.close()

    def close(self) -> None:
        """End the response; its connection is kept for the next request if the body was read."""
        if self._is_closed:
            return
        self._is_closed = True
        self._clock.cancel()
        if self._raw.closed and not self._is_late:
            self._raw.release_conn()
        else:
            self._raw.close()
        self._when_closed()

    def _stop(self) -> None:
        self._is_late = True
        with contextlib.suppress(ValueError, RuntimeError, OSError):
            self._raw.shutdown()
