"""What differs between two states of a stack, as Markdown for a pull request: a table, and a fold for each object.

A comment on GitHub has at most 65,536 characters; what is beyond `LONGEST` is counted, not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cluster_forge.cli.output import diff_text
from cluster_forge.cli.output.diff_text import SIGNS, Sides
from cluster_forge.cli.output.markdown_text import LONGEST, code
from cluster_forge.cli.output.terminal_text import shown
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.comparison.objects import Comparison, ObjectDifference

_MOST_LINES: Final = 200
"""Lines of one object."""
_MOST_ROWS: Final = 100
"""Rows of a table, images of a list."""
_TICKS: Final = re.compile("`+")


def document(comparison: Comparison, sides: Sides) -> str:
    """The whole document, with a line break at its end."""
    title = f"### {code(sides.before)} → {code(sides.after)}"
    if not comparison:
        return f"{title}\n\nNo differences.\n"
    head = "\n\n".join(
        filter(None, (title, f"{diff_text.totals(comparison)}.", _components(comparison), _images(comparison)))
    )
    folds: list[str] = []
    room = LONGEST - len(head)
    for fold in (_fold(difference, sides) for difference in comparison.objects):
        if len(fold) + 2 <= room:
            room -= len(fold) + 2
            folds.append(fold)
    rest = len(comparison.objects) - len(folds)
    more = [f"… and {counted(rest, 'object')} more: `cluster-forge diff` shows all."] if rest else []
    return "\n\n".join((head, *folds, *more)) + "\n"


def _components(comparison: Comparison) -> str:
    if not comparison.components:
        return ""
    rows = [
        f"| {SIGNS[one.change]} {code(one.name)} | {code(one.before)} | {code(one.after)} |"
        for one in comparison.components[:_MOST_ROWS]
    ]
    rest = _rest(len(comparison.components), "component")
    return "\n".join(("| component | before | after |", "|---|---|---|", *rows)) + (f"\n\n{rest}" if rest else "")


def _images(comparison: Comparison) -> str:
    images = [
        *(f"- added {code(image)}" for image in comparison.added_images),
        *(f"- removed {code(image)}" for image in comparison.removed_images),
    ]
    return "\n".join((*images[:_MOST_ROWS], *filter(None, [_rest(len(images), "image", "- ")])))


def _rest(number: int, noun: str, before: str = "") -> str:
    return f"{before}… and {counted(number - _MOST_ROWS, noun)} more" if number > _MOST_ROWS else ""


def _fold(difference: ObjectDifference, sides: Sides) -> str:
    lines = [*_limited(diff_text.object_lines(difference, sides))]
    text = shown("\n".join(lines))
    fence = "`" * max(3, *(len(ticks) + 1 for ticks in ["", *_TICKS.findall(text)]))
    component = f" of {code(difference.component)}" if difference.component else ""
    summary = f"{SIGNS[difference.change]} {code(str(difference.id))}{component}"
    return f"<details><summary>{summary}</summary>\n\n{fence}diff\n{text}\n{fence}\n\n</details>"


def _limited(lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == _MOST_LINES:
            left = sum(1 for _ in lines) + 1
            yield f"# … and {counted(left, 'line')} more"
            return
        yield line
