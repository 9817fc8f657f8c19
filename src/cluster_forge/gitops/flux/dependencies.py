"""Which components each component waits for: the ``dependsOn`` of its Kustomization.

A component waits for those that it needs, for those that define its namespaces, and, where the description sets a wave,
for those of lower waves. What follows from others is left out: Flux waits until a dependency is ready, and that one waited
for its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.parts import in_order
from cluster_forge.manifests.part import Part

_NAMESPACE = ("", "Namespace")


def of(parts: Sequence[Part], fixed: Collection[ComponentName]) -> Mapping[ComponentName, tuple[ComponentName, ...]]:
    """The dependencies of every part, by name; ``fixed`` are the parts whose wave the description sets.

    No part waits for one of the same or a later wave, so there is no cycle: where a wave contradicts a need, the wave
    counts (and smelt warns of it).
    """
    ordered = in_order(parts)
    homes = {item.id.name: part.name for part in ordered for item in part.objects if item.kind == _NAMESPACE}
    direct: dict[ComponentName, tuple[ComponentName, ...]] = {}
    reached: dict[ComponentName, frozenset[ComponentName]] = {}
    for part in ordered:
        earlier = [other for other in ordered if other.wave < part.wave]
        wanted = set(_wanted(part, earlier, homes, fixed))
        followed = frozenset[ComponentName]().union(*(reached[name] for name in wanted))
        direct[part.name] = tuple(sorted(wanted - followed))
        reached[part.name] = followed | wanted
    return direct


def _wanted(
    part: Part, earlier: Sequence[Part], homes: Mapping[str, ComponentName], fixed: Collection[ComponentName]
) -> Iterator[ComponentName]:
    """The parts of ``earlier`` waves that ``part`` waits for."""
    needed = {*part.needs, *(homes[name] for name in {item.id.namespace for item in part.objects} & homes.keys())}
    for other in earlier:
        if other.name in needed or part.name in fixed or other.name in fixed:
            yield other.name
