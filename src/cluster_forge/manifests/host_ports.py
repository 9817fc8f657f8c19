"""The ports of its node that a Pod takes (kubernetes, ``nodeports/node_ports.go``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence

_ANY: Final = "0.0.0.0"  # noqa: S104 - the address that stands for all


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port of the node: two clash if number and protocol are the same, and the addresses are, or one is any."""

    number: int
    protocol: str = "TCP"
    address: str = _ANY

    def clashes_with(self, other: HostPort) -> bool:
        is_same = (self.number, self.protocol) == (other.number, other.protocol)
        return is_same and (self.address == other.address or _ANY in (self.address, other.address))

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


def of(pod: Mapping[str, Any]) -> tuple[HostPort, ...]:
    """The host ports of a Pod's spec, each once: in the host's network all ports of its containers and sidecars are."""
    return tuple(dict.fromkeys(_ports(pod)))


def _ports(pod: Mapping[str, Any]) -> Iterator[HostPort]:
    on_host = pod.get("hostNetwork") is True
    starting = map(mapping, sequence(pod.get("initContainers")))
    sidecars = (container for container in starting if container.get("restartPolicy") == "Always")
    for container in (*map(mapping, sequence(pod.get("containers"))), *sidecars):
        for port in map(mapping, sequence(container.get("ports"))):
            number = port.get("hostPort") or (port.get("containerPort") if on_host else None)
            if isinstance(number, int) and number > 0:
                yield HostPort(number, str(port.get("protocol") or "TCP"), str(port.get("hostIP") or "") or _ANY)
