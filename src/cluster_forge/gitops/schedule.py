"""Which components must be ready before each one starts, where waves are not taken one after the other.

A component waits for those that it needs, and not for a whole wave. Beyond its needs

- a wave that the description sets stays an order: the component waits for every one of a lower wave, and those of a higher
  wave wait for it, whatever they need; the waves of the catalog are none;
- components of nothing but definitions that others refer to by name (`order.FIRST`) come before all others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import order
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import Stack


def fixed(stack: Stack) -> tuple[ComponentName, ...]:
    """The components whose wave the description itself sets."""
    return tuple(sorted(component.name for component in stack.components if component.has_own_wave))


def prerequisites(
    parts: Sequence[Part], fixed: Collection[ComponentName] = ()
) -> Mapping[ComponentName, frozenset[ComponentName]]:
    """For each component those that must be ready first, in an order in which each comes after them.

    ``fixed`` are those whose wave the description sets.
    """
    known = {part.name: part for part in parts}
    gates = {part.name for part in parts if _is_first(part) or part.name in fixed}
    after = {
        part.name: frozenset(
            name for name in (*part.needs, *part.after) if name in known and known[name].wave <= part.wave
        )
        | {other.name for other in parts if other.wave < part.wave and not gates.isdisjoint((part.name, other.name))}
        for part in parts
    }
    return {name: after[name] for name in order.sequence(after)}


def with_indirect(
    after: Mapping[ComponentName, frozenset[ComponentName]],
) -> Mapping[ComponentName, frozenset[ComponentName]]:
    """`prerequisites`, with those that must be ready before these, and so on."""
    before: dict[ComponentName, frozenset[ComponentName]] = {}
    for name, needed in after.items():
        before[name] = needed.union(*(before[other] for other in needed))
    return before


def _is_first(part: Part) -> bool:
    """Whether all of it is definitions, which need nothing either."""
    return part.wave <= order.FIRST and order.is_first([item.id for item in part.objects])
