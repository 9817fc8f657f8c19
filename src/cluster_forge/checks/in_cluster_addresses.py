"""Addresses of Services in texts, in the form of kubernetes.io/docs/concepts/services-networking/dns-pod-service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from cluster_forge.checks.inventory import Place

_ADDRESS: Final = re.compile(
    r"(?<![\w.$(){}*%-])(?:(?P<scheme>[a-z+]+)://(?:[^\s/@\"']*@)?)?(?:[\w$(){}-]+\.)*"
    r"(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(?![\w-])(?:\.cluster\.local)?\.?(?::(?P<port>\d+))?"
)
_PORTS: Final = {"http": 80, "https": 443}


class Address(NamedTuple):
    """The text of an address, the Service's namespace and name, and the port if it is known."""

    text: str
    place: Place
    port: int | None


def of(text: str) -> Iterator[Address]:
    """The addresses in a text."""
    for match in _ADDRESS.finditer(text):
        port = int(match["port"]) if match["port"] else _PORTS.get(match["scheme"] or "")
        yield Address(match[0], (match["namespace"], match["name"]), port)
