"""Which lines of two texts, or entries of two lists, are the same one: the alignment of a patience diff.

What is in both exactly once is an anchor; between the anchors the same is done again. So a block that was moved or repeated
(``}``, empty lines) is not taken for another one, and the time grows with the length, not with its square.
Source: Bram Cohen's patience diff, as in Bazaar and Git (``git diff --patience``).
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

_MOST_COMPARED: Final = 250_000
"""Pairs without an anchor that are compared one with another; of more, none counts as the same."""

_Stretch = tuple[range, range]
"""Lines of both texts."""


def pairs(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """The place of each line of ``old`` that is also in ``new``, with its place there; both ascend."""
    paired: list[tuple[int, int]] = []
    waiting: list[_Stretch] = [(range(len(old)), range(len(new)))]
    while waiting:
        stretch = _without_ends(waiting.pop(), old, new, paired)
        anchors = _anchors(stretch, old, new)
        if anchors:
            paired += anchors
            waiting += _between(stretch, anchors)
        elif len(stretch[0]) * len(stretch[1]) <= _MOST_COMPARED:
            paired += _compared(stretch, old, new)
    return dict(sorted(paired))


def _without_ends(stretch: _Stretch, old: Sequence[str], new: Sequence[str], paired: list[tuple[int, int]]) -> _Stretch:
    """The stretch without the lines that are the same at its beginning and its end; these are ``paired``."""
    (first, last), (start, end) = ((lines.start, lines.stop) for lines in stretch)
    while first < last and start < end and old[first] == new[start]:
        paired.append((first, start))
        first, start = first + 1, start + 1
    while first < last and start < end and old[last - 1] == new[end - 1]:
        last, end = last - 1, end - 1
        paired.append((last, end))
    return range(first, last), range(start, end)


def _anchors(stretch: _Stretch, old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """The lines that are in both once, as many as come in the same order."""
    before, after = stretch
    once = _places(before, old)
    there = _places(after, new)
    return _ascending([(place, there[line]) for line, place in once.items() if line in there])


def _places(stretch: range, lines: Sequence[str]) -> dict[str, int]:
    """The lines of the stretch that are in it once, each with its place, ascending."""
    count = Counter(lines[stretch.start : stretch.stop])
    return {lines[place]: place for place in stretch if count[lines[place]] == 1}


def _ascending(candidates: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest row of candidates in which both places ascend (patience sorting); the first places ascend already."""
    tops: list[int] = []
    piles: list[int] = []  # the candidate on top of each pile
    former: list[int | None] = []
    for number, (_, place) in enumerate(candidates):
        pile = bisect_left(tops, place)
        former.append(piles[pile - 1] if pile else None)
        tops[pile : pile + 1] = [place]
        piles[pile : pile + 1] = [number]
    row: list[tuple[int, int]] = []
    current = piles[-1] if piles else None
    while current is not None:
        row.append(candidates[current])
        current = former[current]
    return row[::-1]


def _between(stretch: _Stretch, anchors: Sequence[tuple[int, int]]) -> Iterator[_Stretch]:
    first, start = stretch[0].start, stretch[1].start
    for place, other in (*anchors, (stretch[0].stop, stretch[1].stop)):
        if first < place and start < other:
            yield range(first, place), range(start, other)
        first, start = place + 1, other + 1


def _compared(stretch: _Stretch, old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    before, after = stretch
    pieces = old[before.start : before.stop], new[after.start : after.stop]
    for block in difflib.SequenceMatcher(None, *pieces, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            yield before.start + block.a + offset, after.start + block.b + offset
