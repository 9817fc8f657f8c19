"""Hand edits, field by field, and as JSON."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from cluster_forge.cli.output import diff_text
from cluster_forge.cli.output.diff_text import SIGNS
from cluster_forge.cli.output.terminal_text import one_line, styled
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.comparison.fields import Change, FieldChange
from cluster_forge.manifests.comparison.objects import Comparison, ObjectDifference

_LONGEST: Final = 60
"""Characters of a value; `customize diff` and JSON have all of it."""
_CONTEXT: Final = 15
"""Characters before the first difference of two long values."""


def status(comparison: Comparison) -> Iterator[str]:
    """The edited objects by component, and what differs in each."""
    by_component = itertools.groupby(comparison.objects, lambda difference: difference.component)
    for component, differences in by_component:
        yield styled((component, {"bold": True}))
        for difference in differences:
            yield from _object(difference)


def total(comparison: Comparison, problems: Sequence[ForgeError]) -> str:
    """``2 objects changed, 1 added``; what cannot be read is counted, too."""
    unread = f"{counted(len(problems), 'file')} cannot be read" if problems else ""
    return "; ".join(filter(None, (diff_text.totals(comparison), unread)))


def json(comparison: Comparison, problems: Sequence[ForgeError]) -> dict[str, Any]:
    """The objects as `diff` has them, and why edited files cannot be read."""
    return {
        "objects": diff_text.json(comparison)["objects"],
        "problems": [{"where": one.where, "message": one.message, "fix": one.fix} for one in problems],
    }


def _object(difference: ObjectDifference) -> Iterator[str]:
    yield styled("  ", (SIGNS[difference.change], {"fg": diff_text.COLORS[difference.change]}), f" {difference.id}")
    if difference.remark:
        yield styled(f"      {one_line(difference.remark)}")
    for field in difference.fields:
        yield styled(f"      {_field(field)}")


def _field(field: FieldChange) -> str:
    if field.change is Change.CHANGED:
        before, after = _text(field.before), _text(field.after)
        start = _start(before, after)
        return f"{field.path}: {_excerpt(before, start)} → {_excerpt(after, start)}"
    value = field.before if field.change is Change.REMOVED else field.after
    return f"{SIGNS[field.change]} {field.path}: {_excerpt(_text(value))}"


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _start(before: str, after: str) -> int:
    """Where the excerpts of two texts begin, so that what differs is in them."""
    pairs = enumerate(zip(before, after, strict=False))
    common = next((place for place, (old, new) in pairs if old != new), min(len(before), len(after)))
    return 0 if common < _LONGEST // 2 else common - _CONTEXT


def _excerpt(text: str, start: int = 0) -> str:
    shown = f"…{text[start:]}" if start else text
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
