"""Rows of texts in columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cluster_forge.cli.output.terminal_text import one_line

_COLUMNS: Final = 80
_GAP: Final = "  "
_INDENT: Final = "    "


def table(rows: Sequence[Sequence[str]], widest: Sequence[int]) -> Iterator[str]:
    """The rows in columns, the first one being the head, without columns that have only a head. ``widest`` are the
    characters of each column where the table would be wider than 80; longer texts end with ``…``.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) if any(column[1:]) else 0 for column in zip(*cells, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) > _COLUMNS:
        widths = [min(width, most) for width, most in zip(widths, widest, strict=True)]
    for row in cells:
        yield _GAP.join(_fitted(cell, width) for cell, width in zip(row, widths, strict=True) if width).rstrip()


def notes(texts: Iterable[str]) -> Iterator[str]:
    """Lines below a row, indented, none wider than 80 where it has a space."""
    for text in texts:
        yield from textwrap.wrap(
            one_line(text), _COLUMNS, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False
        )


def _fitted(cell: str, width: int) -> str:
    return f"{cell:<{width}}" if len(cell) <= width else f"{cell[: width - 1]}…"
