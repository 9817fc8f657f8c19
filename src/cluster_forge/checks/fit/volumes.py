"""The storage that a stack claims, by StorageClass: volume claims, those of StatefulSets and those of single Pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.checks.fit.demand import Demand
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import pod_requests
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import pod_of

DEFAULT: Final = ""
"""The class of claims that name none: the cluster's default one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """So many claims of a class, and their bytes together."""

    storage_class: str
    claims: int
    size: int


def claimed(manifests: Iterable[Manifest], demands: Iterable[Demand]) -> tuple[Claimed, ...]:
    """By the name of the class. Claims of volumes that exist (``volumeName``, or an empty class) make none."""
    totals: dict[str, tuple[int, int]] = {}
    for spec, times in (*_alone(manifests), *_of_pods(demands)):
        name = spec.get("storageClassName", DEFAULT)
        if not isinstance(name, str) or spec.get("volumeName") or spec.get("storageClassName") == "":
            continue
        requests = mapping(mapping(spec.get("resources")).get("requests"))
        size = pod_requests.amount("storage", requests.get("storage")) or 0
        claims, bytes_ = totals.get(name, (0, 0))
        totals[name] = claims + times, bytes_ + size * times
    return tuple(Claimed(storage_class=name, claims=total[0], size=total[1]) for name, total in sorted(totals.items()))


def _alone(manifests: Iterable[Manifest]) -> Iterator[tuple[Mapping[str, Any], int]]:
    for manifest in manifests:
        yield mapping(manifest.body.get("spec")), 1


def _of_pods(demands: Iterable[Demand]) -> Iterator[tuple[Mapping[str, Any], int]]:
    """The claims of StatefulSets and of volumes that live as long as their Pod."""
    for demand in demands:
        body = demand.manifest.body
        if demand.manifest.id.kind == "StatefulSet":
            for claim in sequence(mapping(body.get("spec")).get("volumeClaimTemplates")):
                yield mapping(mapping(claim).get("spec")), demand.count
        for volume in sequence((pod_of(body) or {}).get("volumes")):
            template = mapping(mapping(mapping(volume).get("ephemeral")).get("volumeClaimTemplate"))
            if template:
                yield mapping(template.get("spec")), demand.count
