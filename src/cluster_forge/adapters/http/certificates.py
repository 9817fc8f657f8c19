"""What a server's certificate says, to explain why it is not trusted (RFC 5280).

Python decodes certificates only where they were verified. This reads the few fields that a message names.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_OID: Final = 0x06
_COMMON_NAME: Final = bytes([0x55, 0x04, 0x03])
_ORGANIZATION: Final = bytes([0x55, 0x04, 0x0A])
_ALTERNATIVE_NAMES: Final = bytes([0x55, 0x1D, 0x11])
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_UTC_TIME, _OCTETS = 0x17, 0x04
_DNS, _ADDRESS = 0x82, 0x87
_LONGEST: Final = 100
_MOST_NAMES: Final = 5

Element = tuple[int, bytes]
"""A tag and what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Whose it is, who issued it, from when to when it is valid, and the hosts that it is for."""

    subject: str
    issuer: str
    begins: datetime
    ends: datetime
    hosts: tuple[str, ...]

    @property
    def for_hosts(self) -> str:
        """The first few hosts as text; the subject where there are none."""
        shown = ", ".join(self.hosts[:_MOST_NAMES]) or self.subject
        return f"{shown} and {len(self.hosts) - _MOST_NAMES} more" if len(self.hosts) > _MOST_NAMES else shown


def read(encoded: bytes) -> Certificate | None:
    """A certificate in DER; None if it is not one."""
    with contextlib.suppress(ValueError, IndexError, OverflowError):
        [(_, certificate)] = _elements(encoded)
        fields = [field for field in _elements(next(_elements(certificate))[1]) if field[0] != _VERSION]
        _serial, _algorithm, issuer, validity, subject = fields[:5]
        begins, ends = (_time(field) for field in _elements(validity[1]))
        extensions = next((content for tag, content in fields[5:] if tag == _EXTENSIONS), b"")
        return Certificate(
            subject=_name(subject[1]),
            issuer=_name(issuer[1]),
            begins=begins,
            ends=ends,
            hosts=tuple(_hosts(extensions)),
        )
    return None


def _elements(content: bytes) -> Iterator[Element]:
    """The elements one after another (X.690, 8.1).

    Raises:
        ValueError, IndexError: if they are not encoded like that.
    """
    position = 0
    while position < len(content):
        tag, size = content[position], content[position + 1]
        position += 2
        if size & 0x80:
            octets = size & 0x7F
            size = int.from_bytes(content[position : position + octets], "big")
            position += octets
        if position + size > len(content):
            raise ValueError("an element is longer than its container")
        yield tag, content[position : position + size]
        position += size


def _name(content: bytes) -> str:
    """The common name; else the organization."""
    values = {}
    for _, part in _elements(content):
        for _, pair in _elements(part):
            (_, kind), (_, value) = _elements(pair)
            values[kind] = value.decode("utf-8", "replace")[:_LONGEST]
    return values.get(_COMMON_NAME) or values.get(_ORGANIZATION) or "no name"


def _time(field: Element) -> datetime:
    tag, content = field
    text = content.decode("ascii")
    if tag == _UTC_TIME:  # two digits for the years from 1950 to 2049 (RFC 5280, 4.1.2.5.1)
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _hosts(extensions: bytes) -> Iterator[str]:
    for _, listed in _elements(extensions):
        for _, extension in _elements(listed):
            parts = list(_elements(extension))
            if parts[0] == (_OID, _ALTERNATIVE_NAMES) and parts[-1][0] == _OCTETS:
                for _, names in _elements(parts[-1][1]):
                    yield from _listed_hosts(names)


def _listed_hosts(names: bytes) -> Iterator[str]:
    for tag, name in _elements(names):
        if tag == _DNS:
            yield name.decode("ascii", "replace")[:_LONGEST]
        elif tag == _ADDRESS and len(name) in (4, 16):
            yield str(ipaddress.ip_address(name))


def day(moment: datetime) -> str:
    """A time of a certificate, for messages: ``2026-11-30 08:00 UTC``."""
    return moment.strftime("%Y-%m-%d %H:%M UTC")
