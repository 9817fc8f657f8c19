"""The phases of a component: its hooks before, its objects, its hooks after; each is a Kustomization of its own.

Flux knows no hooks: it applies what a Kustomization holds, and waits until it is ready (Flux, "Running jobs"). So the hooks
of an installation are cut where Helm waits: after the Jobs and Pods of each weight (Helm, "Chart Hooks").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from cluster_forge.manifests import hooks
from cluster_forge.manifests.part import Part, PartObject

_RUN = frozenset({("batch", "Job"), ("", "Pod")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Objects that are applied together; ``name`` is empty for ordinary objects."""

    name: str
    objects: tuple[PartObject, ...]


def of(part: Part) -> tuple[Phase, ...]:
    """The phases that have objects, in their order. A hook for both events runs before: an object has one owner."""
    before = [item for item in part.objects if hooks.events(item.hook) & hooks.BEFORE_INSTALL]
    after = [item for item in part.objects if item.hook and item not in before]
    plain = tuple(item for item in part.objects if not item.hook)
    main = (Phase(name="", objects=plain),) if plain else ()
    return tuple(chain(_hooks("hooks-pre", before), main, _hooks("hooks-post", after)))


def _hooks(name: str, items: Sequence[PartObject]) -> Iterator[Phase]:
    """The hooks by weight; a phase ends with those that run."""
    collected: list[PartObject] = []
    number = 0
    for weight in sorted({item.hook_weight for item in items}):
        same = [item for item in items if item.hook_weight == weight]
        collected += same
        if any(item.kind in _RUN for item in same):
            yield Phase(name=f"{name}-{number:02}", objects=tuple(collected))
            collected = []
            number += 1
    if collected:
        yield Phase(name=f"{name}-{number:02}", objects=tuple(collected))
