"""Pooled connections, direct or through the proxy of the environment, with a limit for each host."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from ssl import SSLContext
from typing import Final

from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout, disable_warnings
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from cluster_forge.adapters.http import failures, proxies, trust
from cluster_forge.adapters.http.origins import PORTS, host_of, origin
from cluster_forge.adapters.http.policy import HostSettings, Policy
from cluster_forge.adapters.http.requests import Upload
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

_NO_SETTINGS: Final = HostSettings()

disable_warnings(InsecureRequestWarning)  # the user named the host, and gets a finding


class Connections:
    """The connections of a client. Safe for several threads.

    Those to a host with settings of its own are apart from all others: no certificate is shown to, and no exception made
    for, another host.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._hosts: Mapping[str, HostSettings] = {}
        self._pools: dict[tuple[str, HostSettings, bool], PoolManager] = {}
        self._permits: dict[str, threading.Semaphore] = {}
        self._pauses: dict[str, float] = {}
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

    def hold(self, url: str, seconds: float) -> None:
        """Send nothing to the host of an address for so long: it asked one of the requests to wait, and means them all."""
        if 0 < seconds <= self._policy.longest_wait:
            self._pauses[host_of(url)] = time.monotonic() + seconds

    def pause(self, url: str) -> float:
        """The seconds until the next request to the host of an address may be sent."""
        return max(0.0, self._pauses.get(host_of(url), 0.0) - time.monotonic())

    def open(self, method: str, url: str, headers: Mapping[str, str], body: Upload | None) -> BaseHTTPResponse:
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
        proxy, settings, is_tls = proxies.proxy_for(url), self.settings(url), url.startswith("https:")
        key = (proxy, settings, is_tls)
        with self._guard:
            if key not in self._pools:
                self._pools[key] = self._new_pool(proxy, self._context(settings) if is_tls else None)
            return self._pools[key]

    def _new_pool(self, proxy: str, context: SSLContext | None) -> PoolManager:
        most = self._policy.connections
        if not proxy:
            return PoolManager(maxsize=most, ssl_context=context)
        return ProxyManager(
            without_user(proxy),
            maxsize=most,
            ssl_context=context,
            proxy_ssl_context=self._context(_NO_SETTINGS) if proxy.startswith("https:") else None,
            proxy_headers=proxies.login(proxy),
        )

    def _context(self, settings: HostSettings) -> SSLContext:
        return trust.context(self._policy.ca_file, settings)


def without_user(url: str) -> str:
    """The address without user and password."""
    return re.sub(r"://[^/?#]*@", "://", url)
