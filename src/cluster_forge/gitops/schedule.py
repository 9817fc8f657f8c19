"""Which components must be ready before each one starts, where waves are not taken one after the other.

A component waits for those that it needs, and not for a whole wave. Beyond its needs

- a wave that the user set stays an order: the component waits for every one of a lower wave, and those of a higher wave
  wait for it, whatever they need;
- components of nothing but definitions that others refer to by name (`order.FIRST`) come before all others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import order
from cluster_forge.manifests.part import Part


def prerequisites(
    parts: Sequence[Part], fixed: Collection[ComponentName] | None = None
) -> Mapping[ComponentName, frozenset[ComponentName]]:
    """For each component those that must be ready first, in an order in which each comes after them.

    ``fixed`` are the components whose wave the description sets; None: it is not at hand, and the waves themselves tell.
    """
    known = {part.name: part for part in parts}
    set_by_user = {part.name for part in parts if _is_set(part, known)} if fixed is None else frozenset(fixed)
    gates = set_by_user | {part.name for part in parts if part.wave <= order.FIRST}
    after = {
        part.name: frozenset(name for name in part.needs if name in known and known[name].wave <= part.wave)
        | {other.name for other in parts if other.wave < part.wave and not gates.isdisjoint((part.name, other.name))}
        for part in parts
    }
    return {name: after[name] for name in order.sequence(after)}


def _is_set(part: Part, known: Mapping[ComponentName, Part]) -> bool:
    """Whether the user set the wave: it does not follow from the component's objects and needs."""
    needed = (known[name].wave + order.STEP for name in part.needs if name in known)
    return part.wave != max([order.natural([item.id for item in part.objects]), *needed])
