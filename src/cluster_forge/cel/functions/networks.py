"""IP addresses and networks (Kubernetes, ``library.IP``, ``library.CIDR``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, ClassVar, Final, cast

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions.overloads import Overload, Table

_LONGEST: Final = 64
"""Characters of an address."""


@dataclass(frozen=True, slots=True)
class IP:
    TYPE_NAME: ClassVar[str] = "net.IP"
    address: IPv4Address | IPv6Address

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class CIDR:
    TYPE_NAME: ClassVar[str] = "net.CIDR"
    address: IPv4Address | IPv6Address
    network: IPv4Network | IPv6Network

    def __str__(self) -> str:
        return f"{self.address}/{self.network.prefixlen}"


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise EvaluationError(f"{text[:_LONGEST]!r} is not an IP address") from error
    if len(text) > _LONGEST or "%" in text or (isinstance(address, IPv6Address) and address.ipv4_mapped):
        raise EvaluationError(f"{text[:_LONGEST]!r} is an IP address with a zone, or an IPv4 address in IPv6 form")
    return address


def _ip(_budget: Budget, text: str) -> IP:
    return IP(_address(text))


def _cidr(_budget: Budget, text: str) -> CIDR:
    address, slash, prefix = text.partition("/")
    if not slash or not prefix.isdecimal() or not prefix.isascii() or (prefix[0] == "0" and prefix != "0"):
        raise EvaluationError(f"{text[:_LONGEST]!r} is not a network")
    _address(address)
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError as error:
        raise EvaluationError(f"{text[:_LONGEST]!r} is not a network") from error
    return CIDR(interface.ip, interface.network)


def _is(parse: Callable[[Budget, str], object]) -> Overload:
    def call(budget: Budget, text: str) -> bool:
        try:
            parse(budget, text)
        except EvaluationError:
            return False
        return True

    return Overload((str,), call)


def _is_canonical(_budget: Budget, text: str) -> bool:
    return str(_address(text)) == text


def _is_link_local_multicast(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return address in IPv4Network("224.0.0.0/24")
    return address.is_multicast and address.packed[1] & 0x0F == 2


def _is_global_unicast(address: IPv4Address | IPv6Address) -> bool:
    """As Go's ``net.IP.IsGlobalUnicast``, for which private addresses are global, too."""
    is_broadcast = isinstance(address, IPv4Address) and address == IPv4Address("255.255.255.255")
    is_other = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not is_other and not is_broadcast


def _contains_address(_budget: Budget, network: CIDR, other: Any) -> bool:
    return (_address(other) if isinstance(other, str) else other.address) in network.network


def _contains_network(budget: Budget, network: CIDR, other: Any) -> bool:
    inner = (_cidr(budget, other) if isinstance(other, str) else cast(CIDR, other)).network
    outer = network.network
    return inner.network_address in outer and inner.prefixlen >= outer.prefixlen


def _of(part: Callable[[Any], Any]) -> list[Overload]:
    return [Overload((IP,), lambda _, ip: part(ip.address))]


GLOBALS: Final[Table] = {
    "ip": [Overload((str,), _ip)],
    "isIP": [_is(_ip)],
    "ip.isCanonical": [Overload((str,), _is_canonical)],
    "cidr": [Overload((str,), _cidr)],
    "isCIDR": [_is(_cidr)],
    "string": [Overload((kind,), lambda _, value: str(value)) for kind in (IP, CIDR)],
}
MEMBERS: Final[Table] = {
    "family": _of(lambda address: address.version),
    "isUnspecified": _of(lambda address: address.is_unspecified),
    "isLoopback": _of(lambda address: address.is_loopback),
    "isLinkLocalMulticast": _of(_is_link_local_multicast),
    "isLinkLocalUnicast": _of(lambda address: address.is_link_local),
    "isGlobalUnicast": _of(_is_global_unicast),
    "containsIP": [Overload((CIDR, kind), _contains_address) for kind in (IP, str)],
    "containsCIDR": [Overload((CIDR, kind), _contains_network) for kind in (CIDR, str)],
    "ip": [Overload((CIDR,), lambda _, cidr: IP(cidr.address))],
    "masked": [Overload((CIDR,), lambda _, cidr: CIDR(cidr.network.network_address, cidr.network))],
    "prefixLength": [Overload((CIDR,), lambda _, cidr: cidr.network.prefixlen)],
}
