"""Files fetched by HTTP: complete, as they were sent, or not at all."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from cluster_forge.adapters.http import file_urls
from cluster_forge.adapters.http.policy import Policy
from cluster_forge.ports.progress import NO_TRANSFERS, Transfers

if TYPE_CHECKING:
    from cluster_forge.adapters.http.authorization import Authorization
    from cluster_forge.adapters.http.client import HttpClient


class HttpDownloads:
    """``https://``, ``http://`` and ``file://``, through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name.

    Safe for several threads.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        authorization: Authorization | None = None,
        transfers: Transfers = NO_TRANSFERS,
    ) -> None:
        self._policy = policy
        self._authorization = authorization
        self._transfers = transfers
        self._guard = threading.Lock()

    def get(self, url: str, *, limit_bytes: int) -> bytes:
        """The file at an address.

        Raises:
            FetchError: for a status other than 200, more than ``limit_bytes``, a truncated or slow response, no
                connection, a certificate that is not trusted, or an address of another kind.
        """
        if url.startswith("file:"):
            return file_urls.read(url, limit_bytes)
        return self.client.get(url, limit_bytes)

    @property
    def client(self) -> HttpClient:
        """The client for everything else."""
        with self._guard:
            return self._client

    @cached_property
    def _client(self) -> HttpClient:
        from cluster_forge.adapters.http.client import HttpClient  # noqa: PLC0415 - 0.05 s for urllib3

        return HttpClient(self._policy, authorization=self._authorization, transfers=self._transfers)
