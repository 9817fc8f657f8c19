"""The order of a merged list whose entries have keys."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def merged_order(
    base: Collection[Key], theirs: Collection[Key], mine: Collection[Key], kept: Collection[Key]
) -> list[Key] | None:
    """The order of the ``kept`` entries: that of the side that changed it; None if both did, differently.

    Entries that are not kept count for nothing: otherwise the order might change when the result is merged again.
    """
    base, theirs, mine = ([key for key in side if key in kept] for side in (base, theirs, mine))
    if not _is_reordered(mine, base) or not _is_reordered(mine, theirs):
        return with_insertions(theirs, mine, kept)
    return None if _is_reordered(theirs, base) else with_insertions(mine, theirs, kept)


def _is_reordered(side: Collection[Key], base: Collection[Key]) -> bool:
    """Whether what both have is in another order in ``side``."""
    known, kept = set(base), set(side)
    return [key for key in side if key in known] != [key for key in base if key in kept]


def with_insertions(skeleton: Collection[Key], other: Collection[Key], kept: Collection[Key]) -> list[Key]:
    """What is ``kept``, in the order of ``skeleton``; what only ``other`` has comes before its successor there, or last."""
    placed = [key for key in skeleton if key in kept]
    anchors = set(placed)
    before: dict[Key, list[Key]] = {}
    waiting: list[Key] = []
    for key in other:
        if key in anchors:
            before[key], waiting = waiting, []
        elif key in kept:
            waiting.append(key)
    return [*(entry for key in placed for entry in (*before.get(key, ()), key)), *waiting]
