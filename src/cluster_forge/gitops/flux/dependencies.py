"""Which components each component waits for: the ``dependsOn`` of its Kustomization.

They are those of `schedule`, and those that define its namespaces. What follows from others is left out: Flux waits until a
dependency is ready, and that one waited for its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import schedule
from cluster_forge.manifests import order
from cluster_forge.manifests.part import Part

_NAMESPACE = ("", "Namespace")


def of(parts: Sequence[Part], fixed: Collection[ComponentName]) -> Mapping[ComponentName, tuple[ComponentName, ...]]:
    """The dependencies of every part, by name; ``fixed`` are the parts whose wave the description sets.

    No part waits for one of a later wave: where a wave contradicts a need, the wave counts (and smelt warns of it).
    """
    wanted = schedule.prerequisites(parts, fixed)
    homes = _homes(parts)
    direct: dict[ComponentName, tuple[ComponentName, ...]] = {}
    reached: dict[ComponentName, frozenset[ComponentName]] = {}
    for name in order.sequence({name: others | homes[name] for name, others in wanted.items()}):
        before = wanted[name] | homes[name]
        followed = frozenset[ComponentName]().union(*(reached[other] for other in before))
        direct[name] = tuple(sorted(before - followed))
        reached[name] = followed | before
    return direct


def _homes(parts: Sequence[Part]) -> Mapping[ComponentName, frozenset[ComponentName]]:
    """For each part those of earlier waves that define the namespaces of its objects."""
    defined = {item.id.name: part for part in parts for item in part.objects if item.kind == _NAMESPACE}
    used = {part.name: {item.id.namespace for item in part.objects} & defined.keys() for part in parts}
    return {
        part.name: frozenset(defined[name].name for name in used[part.name] if defined[name].wave < part.wave)
        for part in parts
    }
