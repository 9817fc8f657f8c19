"""Pools of addresses for Services of type LoadBalancer do not overlap.

Sources: MetalLB, "Configuration" (its webhook refuses overlapping pools), Cilium, "LoadBalancer IP Address Management"
(a pool that conflicts with another one is switched off).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "address-conflict"
METALLB: Final = ("metallb.io", "IPAddressPool")
CILIUM: Final = ("cilium.io", "CiliumLoadBalancerIPPool")


class _Range(NamedTuple):
    """The first and last address, as (version of IP, number)."""

    first: tuple[int, int]
    last: tuple[int, int]
    text: str
    field: str
    pool: Manifest

    def overlaps(self, other: _Range) -> bool:
        return self.first <= other.last and other.first <= self.last


def findings(checked: CheckedStack) -> Iterator[Finding]:
    ranges = [candidate for pool in checked.of_kind[METALLB] for candidate in _metallb(pool)]
    ranges += [candidate for pool in checked.of_kind[CILIUM] for candidate in _cilium(pool)]
    for one, other in _overlapping(ranges):
        is_refused = (one.pool.id.group, other.pool.id.group) == (METALLB[0], METALLB[0])
        same = one.pool is other.pool
        owner = "the same pool" if same else f"{one.pool.id} of {one.pool.provenance.component}"
        say = report.error if is_refused else report.warning
        yield say(
            other.pool,
            CODE,
            f"{other.text} overlaps {one.text} of {owner}: "
            + (
                "MetalLB refuses it"
                if is_refused
                else "Cilium switches a pool off that conflicts, and two providers give one address to two Services"
            ),
            fix="give each pool addresses of its own",
            field=other.field,
        )


def _overlapping(ranges: list[_Range]) -> Iterator[tuple[_Range, _Range]]:
    """Each range with one that it overlaps; by the first address, so that it takes no square of their number."""
    furthest: _Range | None = None
    for candidate in sorted(ranges, key=lambda one: (one.first, one.last, one.pool.id)):
        if furthest and candidate.overlaps(furthest):
            yield furthest, candidate
        if furthest is None or candidate.last > furthest.last:
            furthest = candidate


def _metallb(pool: Manifest) -> Iterator[_Range]:
    for number, text in enumerate(sequence(mapping(pool.body.get("spec")).get("addresses"))):
        field = field_path.text(("spec", "addresses", number))
        first, dash, last = str(text).partition("-")
        yield from _range(first.strip(), last.strip() if dash else "", field, pool)


def _cilium(pool: Manifest) -> Iterator[_Range]:
    spec = mapping(pool.body.get("spec"))
    if spec.get("disabled") is True:
        return
    for number, block in enumerate(map(mapping, sequence(spec.get("blocks")))):
        field = field_path.text(("spec", "blocks", number))
        if block.get("cidr"):
            yield from _range(str(block["cidr"]), "", field, pool)
        elif block.get("start"):
            yield from _range(str(block["start"]), str(block.get("stop") or block["start"]), field, pool)


def _range(first: str, last: str, field: str, pool: Manifest) -> Iterator[_Range]:
    """A network (``10.0.0.0/24``) or, with ``last``, a range; nothing for a text that is neither."""
    try:
        if last:
            ends: tuple[Any, Any] = (ipaddress.ip_address(first), ipaddress.ip_address(last))
        else:
            network = ipaddress.ip_network(first, strict=False)
            ends = (network.network_address, network.broadcast_address)
    except ValueError:
        return
    one, other = ((end.version, int(end)) for end in ends)
    if one <= other:
        yield _Range(one, other, f"{first}-{last}" if last else first, field, pool)
