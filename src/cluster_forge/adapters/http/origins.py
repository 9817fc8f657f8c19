"""Origins of addresses, and which of them are this machine."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"https": 443, "http": 80}


def origin(url: str) -> str:
    """Scheme, host and port of an HTTP address (RFC 6454, 4), whatever its user.

    Raises:
        ValueError: if it is not an address.
    """
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or _PORTS.get(parts.scheme, 0)}"


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine by its host alone: nothing is resolved."""
    host = (urlsplit(url).hostname or "").removesuffix(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
