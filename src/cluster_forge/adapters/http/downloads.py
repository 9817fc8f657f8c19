"""Files fetched by HTTP: complete, as they were sent, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from cluster_forge.adapters.http import file_urls
from cluster_forge.adapters.http.fetched import Fetched
from cluster_forge.adapters.http.policy import HostSettings, Policy
from cluster_forge.ports.progress import NO_TRANSFERS, Transfers

if TYPE_CHECKING:
    from cluster_forge.adapters.http.authorization import Authorization
    from cluster_forge.adapters.http.client import HttpClient


class HttpDownloads:
    """``https://``, ``http://`` and ``file://``, through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name.

    ``authorization`` is made when it is needed, with a client for its own requests; ``known_hosts`` are settings of hosts
    that others replace (`configure`). Safe for several threads.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        authorization: Callable[[HttpClient], Authorization] | None = None,
        transfers: Transfers = NO_TRANSFERS,
        known_hosts: Callable[[], Mapping[str, HostSettings]] = dict,
    ) -> None:
        self.policy = policy or Policy()
        self._authorization = authorization
        self._transfers = transfers
        self._known_hosts = known_hosts
        self._hosts: Mapping[str, HostSettings] = {}
        self._guard = threading.Lock()

    def configure(self, hosts: Mapping[str, HostSettings]) -> None:
        """Use these settings, by ``host`` or ``host:port``; to be called before the first request."""
        self._hosts = hosts

    @property
    def hosts(self) -> Mapping[str, HostSettings]:
        """The settings of hosts, for who reaches them in another way."""
        return {**self._known_hosts(), **self._hosts}

    def get(self, url: str, *, limit_bytes: int) -> bytes:
        """The file at an address.

        Raises:
            FetchError: for a status other than 200, more than ``limit_bytes``, a truncated or slow response, no
                connection, a certificate that is not trusted, or an address of another kind.
        """
        if url.startswith("file:"):
            return file_urls.read(url, limit_bytes)
        return self.client.get(url, limit_bytes)

    def get_changed(self, url: str, *, limit_bytes: int, tag: str) -> Fetched:
        """The same, unless it is the file that ``tag`` stands for.

        Raises:
            FetchError: as `get`.
        """
        if url.startswith("file:"):
            return Fetched(content=file_urls.read(url, limit_bytes))
        return self.client.get_changed(url, limit_bytes, tag)

    @property
    def client(self) -> HttpClient:
        """The client for everything else."""
        with self._guard:
            return self._client

    @cached_property
    def _client(self) -> HttpClient:
        from cluster_forge.adapters.http.client import HttpClient  # noqa: PLC0415 - 0.05 s for urllib3

        plain, hosts = HttpClient(self.policy), self.hosts
        authorization = self._authorization(plain) if self._authorization else None
        client = HttpClient(self.policy, authorization=authorization, transfers=self._transfers)
        for configured in (plain, client):
            configured.configure(hosts)
        return client
