"""The proxy that the environment names for an address: as curl and Go's ``httpproxy`` read it."""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from cluster_forge.adapters.http.origins import PORTS, origin
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import FetchError

VARIABLES: Final = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY"


def proxy_for(url: str) -> str:
    """The address of the proxy for ``url``; empty for a direct connection.

    A variable in lower case comes first, and in a CGI program HTTP_PROXY does not count: a client can set it with a
    ``Proxy`` header. Where no variable is set, the settings of macOS and Windows count.

    Raises:
        FetchError: if the environment's value is not the address of an HTTP proxy.
    """
    scheme, host, port = origin(url)
    proxies = getproxies()
    value = proxies.get(scheme) or proxies.get("all") or ""
    if not value or _is_direct(host, port):
        return ""
    proxy = value if "://" in value else f"http://{value}"
    try:
        is_address = proxy.split() == [proxy] and bool(urlsplit(proxy).hostname) and urlsplit(proxy).port != 0
    except ValueError:  # a port that is not a number, or too large
        is_address = False
    if not is_address:
        raise FetchError(
            f"{without_credentials(url)}: the proxy {without_credentials(proxy)} is not an address",
            fix=f"write http://HOST:PORT into {VARIABLES}",
        )
    if urlsplit(proxy).scheme not in PORTS:
        raise FetchError(
            f"{without_credentials(url)}: the proxy {without_credentials(proxy)} has an unknown scheme",
            fix=f"set {VARIABLES} to an http:// or https:// proxy",
        )
    return proxy


def login(proxy: str) -> dict[str, str]:
    """The header with the user and the password in a proxy's address (RFC 7617: in UTF-8), if there are any."""
    user = urlsplit(proxy).netloc.rpartition("@")[0]
    return {"Proxy-Authorization": f"Basic {base64.b64encode(unquote(user).encode()).decode()}"} if user else {}


def _is_direct(host: str, port: int) -> bool:
    """Whether a host is reached without a proxy: this machine itself, and what NO_PROXY lists."""
    address = _address(host)
    if host == "localhost" or (address and address.is_loopback):
        return True
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    if listed is None:
        return bool(proxy_bypass(host))
    return any(_matches(entry.lower(), host.rstrip("."), port) for entry in re.split(r"[,\s]+", listed) if entry)


def _matches(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY is for a host: ``*``, an address or a range (``10.0.0.0/8``), ``example.com`` (it and its
    subdomains) or ``.example.com`` (its subdomains only); all but ranges may end with a port.
    """
    if entry == "*":
        return True
    address = _address(host)
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    if (bracketed := re.fullmatch(r"\[(.+)\](?::(\d+))?", entry)) or (_address(entry) is None):
        name, _, number = (bracketed[1], "", bracketed[2] or "") if bracketed else entry.partition(":")
        if number and number != str(port):
            return False
    else:
        name = entry
    if address is not None:
        return _address(name) == address
    name = name.removeprefix("*").rstrip(".")
    return host.endswith(name) if name.startswith(".") else bool(name) and (host == name or host.endswith(f".{name}"))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
