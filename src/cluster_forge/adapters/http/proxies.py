"""The proxy that the environment names for an address."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

VARIABLES: Final = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY"


def proxy_for(url: str) -> str:
    """The address of the proxy for ``url``; empty for a direct connection.

    Raises:
        FetchError: if the environment's value is not an address.
    """
    parts = urlsplit(url)
    proxies = getproxies()
    value = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not value or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    proxy = value if "://" in value else f"http://{value}"
    try:
        is_address = bool(urlsplit(proxy).hostname) and urlsplit(proxy).port != 0
    except ValueError:  # a port that is not a number, or too large
        is_address = False
    if not is_address:
        raise FetchError(
            f"{without_credentials(url)}: the proxy {without_credentials(proxy)} is not an address",
            fix=f"write http://HOST:PORT into {VARIABLES}",
        )
    return proxy
