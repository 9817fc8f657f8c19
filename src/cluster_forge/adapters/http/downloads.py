"""Files fetched by HTTP: complete, as they were sent, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from cluster_forge.adapters.http import file_urls, timing
from cluster_forge.adapters.http.timing import Timeouts

if TYPE_CHECKING:
    from cluster_forge.adapters.http.client import HttpClient

_PAUSES = (0.3, 1.0, 3.0)
"""Seconds before the second, third and fourth attempt."""


class HttpDownloads:
    """``https://``, ``http://`` and ``file://``, through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name.

    Temporary failures are tried again after each of ``pauses`` (seconds). Safe for several threads.
    """

    def __init__(self, *, pauses: Sequence[float] = _PAUSES, timeouts: Timeouts | None = None) -> None:
        self._pauses = pauses
        self._timeouts = timeouts or Timeouts()

    def get(self, url: str, *, limit_bytes: int) -> bytes:
        """The file at an address.

        Raises:
            FetchError: for a status other than 200, more than ``limit_bytes``, a truncated or slow response, no
                connection, a certificate that is not trusted, or an address of another kind.
        """
        if url.startswith("file:"):
            return file_urls.read(url, limit_bytes)
        return timing.with_retries(lambda: self._client.get(url, limit_bytes), self._pauses)

    @cached_property
    def _client(self) -> HttpClient:
        from cluster_forge.adapters.http.client import HttpClient  # noqa: PLC0415 - 0.05 s for urllib3

        return HttpClient(self._timeouts)
