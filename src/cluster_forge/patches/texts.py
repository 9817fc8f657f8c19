"""The three-way merge of texts, line by line, as ``diff3`` does it.

A stretch of lines that only one side changed is taken from that side. One that both changed, differently, is a clash; so
are changes without an unchanged line between them. Source: "A Formal Investigation of Diff3" (Khanna, Kunal, Pierce, 2007).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cluster_forge.patches import alignment


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """The lines of a stretch in each text; ``lines`` are the numbers of mine (from 1), none where mine has no line there."""

    base: str
    theirs: str
    mine: str
    lines: range


def merge(base: str, theirs: str, mine: str) -> tuple[str | Clash, ...]:
    """The merged text in pieces, one after the other."""
    sides = tuple(map(lines, (base, theirs, mine)))
    return tuple(_resolved(sides, stretch) for stretch in _stretches(*sides))


def lines(text: str) -> list[str]:
    """The lines with their line breaks: line feeds, nothing else that Python takes for one."""
    *ended, rest = text.split("\n")
    return [f"{line}\n" for line in ended] + ([rest] if rest else [])


_Stretch = tuple[range, range, range]


def _stretches(base: Sequence[str], theirs: Sequence[str], mine: Sequence[str]) -> Iterator[_Stretch]:
    """The texts in stretches: the same lines in all three, or lines between such."""
    to_theirs, to_mine = alignment.pairs(base, theirs), alignment.pairs(base, mine)
    places = [(place, to_theirs[place], to_mine[place]) for place in to_theirs if place in to_mine]
    ends = [(len(base), len(theirs), len(mine))]
    at = (0, 0, 0)
    for anchor in places + ends:
        if anchor != at:
            yield _ranges(at, anchor)
        at = (anchor[0] + 1, anchor[1] + 1, anchor[2] + 1)
        if anchor not in ends:
            yield _ranges(anchor, at)


def _ranges(start: tuple[int, int, int], end: tuple[int, int, int]) -> _Stretch:
    return range(start[0], end[0]), range(start[1], end[1]), range(start[2], end[2])


def _resolved(sides: tuple[Sequence[str], ...], stretch: _Stretch) -> str | Clash:
    base, theirs, mine = ("".join(side[piece.start : piece.stop]) for side, piece in zip(sides, stretch, strict=True))
    if theirs == base:
        return mine
    if mine in (base, theirs):
        return theirs
    numbers = range(stretch[2].start + 1, stretch[2].stop + 1)
    return Clash(base=base, theirs=theirs, mine=mine, lines=numbers)
