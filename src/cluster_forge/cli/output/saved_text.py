"""Hand edits that were saved or dropped: as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from cluster_forge.cli.output.terminal_text import styled
from cluster_forge.stages.build.edits import DiscardedEdits
from cluster_forge.stages.build.working_tree import FOLDER
from cluster_forge.stages.customize.save import Saved, SavedEdit

_HOW: Final = {
    Saved.PATCH: "patch in",
    Saved.JSON_PATCH: "JSON patch in",
    Saved.DELETION: "deleted by",
    Saved.OBJECT: "added by",
    Saved.NOTHING: "removed",
}


def saved(edits: Sequence[SavedEdit]) -> Iterator[str]:
    """A line for each object: the file that its edit is in now, or why it is in none."""
    for edit in edits:
        what = f"{_HOW[edit.how]} {edit.path}" if edit.how else f"not saved: {edit.reason}"
        yield styled((edit.component, {"bold": True}), f": {edit.id}: {what}")
    if not edits:
        yield "no edits: working/ is as smelt wrote it"


def saved_json(edit: SavedEdit) -> dict[str, Any]:
    return {
        "component": edit.component,
        "object": str(edit.id),
        "as": edit.how,
        "file": edit.path or None,
        "reason": edit.reason,
    }


def dropped(edits: DiscardedEdits) -> Iterator[str]:
    """A line for each file that is as it was before, and where the copy is."""
    for edit in edits.edits:
        yield f"dropped: {edit}" if edit.path.startswith(f"{FOLDER}/") else f"removed: {edit.path}"
    yield f"a copy is in {edits.copy}" if edits else "nothing to drop"
