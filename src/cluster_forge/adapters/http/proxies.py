"""Which proxy the environment names."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

VARIABLES: Final = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY"


def named_for(url: str) -> str:
    """The proxy that the environment names for an address; nothing where it is to be asked itself.

    Raises:
        FetchError: if what is named is no address.
    """
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - slow to import

    parts = urlsplit(url)
    proxies = getproxies()
    named = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not named or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    proxy = named if "://" in named else f"http://{named}"
    try:
        is_address = bool(urlsplit(proxy).hostname) and urlsplit(proxy).port != 0
    except ValueError:  # a port that is no number, or too large a one
        is_address = False
    if not is_address:
        raise FetchError(
            f"{without_credentials(url)}: the proxy {without_credentials(proxy)} is no address",
            fix=f"write http://HOST:PORT into {VARIABLES}",
        )
    return proxy
