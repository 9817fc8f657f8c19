"""What became of hand edits when `working/` was written again: as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cluster_forge.foundation.names import counted

if TYPE_CHECKING:
    from cluster_forge.stages.build.smelt import SmeltResult


def lines(smelted: SmeltResult) -> Iterator[str]:
    """A line where there are any: ``3 hand edits kept, 1 of them merged with a change``."""
    if smelted.edited:
        merged = sum(file.is_merged for file in smelted.merged.values())
        how = f", {merged} of them merged with a change" if merged else ""
        yield f"{counted(len(smelted.edited), 'hand edit')} kept{how} (cluster-forge customize status)"


def json(smelted: SmeltResult) -> list[dict[str, Any]]:
    """Each edited file that is left; ``merged``: smelt changed the object, too."""
    return [
        {
            "file": edit.path,
            "change": edit.kind,
            "merged": edit.path in smelted.merged and smelted.merged[edit.path].is_merged,
        }
        for edit in smelted.edited
    ]
