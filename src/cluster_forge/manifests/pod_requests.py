"""What one Pod requests of its node, as the scheduler counts it.

Source: kubernetes, ``component-helpers/resource/helpers.go`` (``PodRequests``): containers and sidecars run together; an init
container runs beside the sidecars that were started before it. Kubernetes API: a limit without a request is the request,
``spec.resources`` (requests of the whole Pod) takes the place of the sum, ``overhead`` comes on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from cluster_forge.foundation import quantity
from cluster_forge.foundation.untyped import mapping, sequence

CPU: Final = "cpu"
Requests = Mapping[str, int]
"""Amounts by resource: CPU in thousandths of a core, memory in bytes, others in their units."""
_MILLI: Final = 1000
_OF_PODS: Final = frozenset({CPU, "memory"})
"""What a whole Pod can request beside huge pages (KEP-2837)."""
_HUGE_PAGES: Final = "hugepages-"
_MOST: Final = (1 << 63) - 1
"""Kubernetes caps larger quantities (apimachinery, ``resource.Quantity``)."""


def of(pod: Mapping[str, Any]) -> dict[str, int]:
    """The requests of a Pod's spec; those of zero are left out. A quantity that is none counts as zero."""
    running: dict[str, int] = _sum(_container(mapping(container)) for container in sequence(pod.get("containers")))
    sidecars: dict[str, int] = {}
    most: dict[str, int] = {}
    for entry in sequence(pod.get("initContainers")):
        container = mapping(entry)
        asked = _container(container)
        if container.get("restartPolicy") == "Always":
            sidecars = _sum((sidecars, asked))
            most = _larger(most, sidecars)
        else:
            most = _larger(most, _sum((sidecars, asked)))
    total = _larger(_sum((running, sidecars)), most)
    whole = {name: amount for name, amount in _container(pod).items() if name in _OF_PODS or is_huge_pages(name)}
    total = _sum(({**total, **whole}, amounts(pod.get("overhead"))))
    return {name: amount for name, amount in total.items() if amount > 0}


def amounts(resources: object) -> dict[str, int]:
    """A list of resources (``{cpu: 500m, memory: 1Gi}``) as numbers, rounded up as Kubernetes does."""
    return {name: read for name, value in mapping(resources).items() if (read := amount(name, value)) is not None}


def amount(name: str, value: object) -> int | None:
    """A quantity of a resource, at most what 63 bits hold; None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = quantity.parse(value)
    except (ValueError, ArithmeticError):
        return None
    if abs(number) > _MOST:  # before anything else: Decimal would write it out
        return _MOST if number > 0 else -_MOST
    return min(int((number * (_MILLI if name == CPU else 1)).to_integral_value(ROUND_CEILING)), _MOST)


def is_huge_pages(name: str) -> bool:
    """Whether a resource is memory in pages of one size: ``hugepages-2Mi``."""
    return name.startswith(_HUGE_PAGES)


def text(name: str, number: int) -> str:
    """An amount as Kubernetes writes it: ``1.5`` cores, ``2Gi``, ``4``."""
    if name == CPU:
        return quantity.cores(Decimal(number) / _MILLI)
    is_size = name in ("memory", "ephemeral-storage", "storage") or is_huge_pages(name)
    return quantity.size(Decimal(number)) if is_size else str(number)


def _container(container: Mapping[str, Any]) -> dict[str, int]:
    resources = mapping(container.get("resources"))
    return {**amounts(resources.get("limits")), **amounts(resources.get("requests"))}


def _sum(several: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in several:
        for name, amount_ in one.items():
            total[name] = total.get(name, 0) + amount_
    return total


def _larger(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}
