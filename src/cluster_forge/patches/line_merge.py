"""A change of a text in a JSON patch, merged by lines into another version of that text.

A ``test`` of a text of several lines and a ``replace`` of the same place after it say what the text was and what it becomes:
the base and the user's side of a three-way merge (`texts`). The third side is what the object has there now.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cluster_forge.foundation.errors import PatchError
from cluster_forge.foundation.names import counted
from cluster_forge.patches import texts
from cluster_forge.patches.json_operations import Op, Operation
from cluster_forge.patches.texts import Clash

if TYPE_CHECKING:
    from collections.abc import Sequence


def changes_a_text(patch: Sequence[Operation]) -> bool:
    """Whether a patch changes lines of a text."""
    return any(_is_change(first, second) for first, second in pairwise(patch))


def fitted(first: Operation, second: Operation, present: Any) -> tuple[Operation, Operation]:
    """A test and the replacement of a text for the text that is ``present`` in its place; other operations as they are.

    Raises:
        PatchError: if the text has changed in the lines that the replacement changes.
    """
    if not _is_change(first, second) or not _has_lines(present) or present == first.value:
        return first, second
    pieces = texts.merge(first.value, present, second.value)
    clashes = [piece for piece in pieces if isinstance(piece, Clash)]
    if clashes:
        raise PatchError(
            f"the text has changed in {counted(len(clashes), 'place')} that the patch changes, too{_lines(clashes)}",
            fix="compare both texts of the patch with what the object has now, and write them for that",
        )
    merged = "".join(piece for piece in pieces if isinstance(piece, str))
    return replace(first, value=present), replace(second, value=merged)


def _is_change(first: Operation, second: Operation) -> bool:
    return (
        (first.op, second.op) == (Op.TEST, Op.REPLACE)
        and first.path == second.path
        and _has_lines(first.value)
        and _has_lines(second.value)
    )


def _has_lines(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _lines(clashes: Sequence[Clash]) -> str:
    """Where they are in the text of the patch; empty where the patch only removes lines."""
    first = [str(clash.lines.start) for clash in clashes if clash.lines]
    return f": in its text from line {', '.join(first)}" if first else ""
