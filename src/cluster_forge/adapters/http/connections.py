"""Pooled connections, direct or through the proxy of the environment, with a limit for each host."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout, make_headers
from urllib3.exceptions import HTTPError

from cluster_forge.adapters.http import failures, proxies, trust
from cluster_forge.adapters.http.policy import HostSettings, Policy
from cluster_forge.adapters.http.requests import PORTS, Upload, host_of, origin
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

_NO_SETTINGS: Final = HostSettings()


class Connections:
    """The connections of a client. Safe for several threads.

    Those to a host with settings of its own are apart from all others: no certificate is shown to, and no exception made
    for, another host.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._hosts: Mapping[str, HostSettings] = {}
        self._pools: dict[tuple[str, HostSettings], PoolManager] = {}
        self._permits: dict[str, threading.Semaphore] = {}
        self._guard = threading.Lock()

    def configure(self, hosts: Mapping[str, HostSettings]) -> None:
        """Use these settings, by ``host`` or ``host:port``, from the next request on."""
        self._hosts = {host.lower(): settings for host, settings in hosts.items()}

    def settings(self, url: str) -> HostSettings:
        """What the user says about the host of an address."""
        scheme, host, port = origin(url)
        names = [f"{host}:{port}", *([host] if port == PORTS[scheme] else [])]
        return next((self._hosts[name] for name in names if name in self._hosts), _NO_SETTINGS)

    def permit(self, url: str) -> threading.Semaphore:
        """What a request to the host of an address must hold until its response is read."""
        with self._guard:
            return self._permits.setdefault(host_of(url), threading.Semaphore(self._policy.connections))

    def open(self, method: str, url: str, headers: Mapping[str, str], body: bytes | Upload | None) -> BaseHTTPResponse:
        """Send a request; the response's status is not judged, its body is not read yet.

        Raises:
            TemporaryError: if it may succeed later.
            FetchError: for an address of another kind, no connection, or a certificate that is not trusted.
        """
        try:
            return self._pool(url).urlopen(
                method,
                without_user(url),
                body=body,
                headers=headers,
                timeout=Timeout(connect=self._policy.timeouts.connect, read=self._policy.timeouts.silence),
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        except HTTPError as error:
            raise failures.of_connection(url, error) from error
        except ValueError as error:
            raise FetchError(f"{without_credentials(url)} is not an address", fix="correct the address") from error

    def _pool(self, url: str) -> PoolManager:
        """The connections to use for an address: direct, or through its proxy."""
        proxy, settings = proxies.proxy_for(url), self.settings(url)
        with self._guard:
            if (proxy, settings) not in self._pools:
                self._pools[proxy, settings] = self._new_pool(proxy, settings)
            return self._pools[proxy, settings]

    def _new_pool(self, proxy: str, settings: HostSettings) -> PoolManager:
        context, most = trust.context(self._policy.ca_file, settings), self._policy.connections
        if not proxy:
            return PoolManager(maxsize=most, ssl_context=context)
        user = unquote(urlsplit(proxy).netloc.rpartition("@")[0])
        return ProxyManager(
            without_user(proxy),
            maxsize=most,
            ssl_context=context,
            proxy_ssl_context=trust.context(self._policy.ca_file, _NO_SETTINGS),
            proxy_headers=make_headers(proxy_basic_auth=user) if user else None,
        )


def without_user(url: str) -> str:
    """The address without user and password."""
    return re.sub(r"://[^/?#]*@", "://", url)
