"""The formats of text that an API server checks in custom resources.

Source: kube-openapi, ``pkg/validation/strfmt`` (its default registry); a format that it does not know says nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Final

from cluster_forge.checks.kubernetes_objects.scalars import SCALARS

_DATE: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\Z")
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\Z")
_DURATION: Final = re.compile(
    r"\s*(\d+\s*(ns|nano|us|µs|μs|micro|ms|milli|s|sec|m|min|h|hr|hour|d|day|w|wk|week)s?\s*)+\Z|([+-]?(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+\Z|0\Z"
)


def _is_address(version: int) -> Callable[[str], bool]:
    def is_address(text: str) -> bool:
        try:
            return ipaddress.ip_address(text).version == version
        except ValueError:
            return False

    return is_address


def _is_range(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


_CHECKS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "byte": (SCALARS["bytes"], "text in Base64"),
    "cidr": (_is_range, "a range of addresses such as 10.0.0.0/8"),
    "date": (lambda text: bool(_DATE.match(text)), "a date such as 2026-01-31"),
    "date-time": (SCALARS["time"], "a time such as 2026-01-31T12:00:00Z"),
    "duration": (lambda text: bool(_DURATION.match(text)), "a duration such as 1h30m"),
    "ipv4": (_is_address(4), "an IPv4 address"),
    "ipv6": (_is_address(6), "an IPv6 address"),
    "uuid": (lambda text: bool(_UUID.match(text)), "a UUID"),
}


def expected(name: object, text: str) -> str:
    """What a text of that format should be, where it is not; empty otherwise."""
    check = _CHECKS.get(name) if isinstance(name, str) else None
    return check[1] if check and not check[0](text) else ""
