"""Text with ``*`` and ``?``, compared without going back: each piece between stars is looked for once, from the left."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


def matches(pattern: str, text: str) -> bool:
    """Whether a text is as a pattern says: ``*`` stands for any characters, ``?`` for one."""
    first, *others = pattern.split("*")
    place = _at(first, text, 0)
    if not others:
        return place == len(text)
    if place < 0:
        return False
    *middle, last = others
    for piece in middle:
        place = _after(piece, text, place)
        if place < 0:
            return False
    start = len(text) - len(last)
    return start >= place and _at(last, text, start) == len(text)


def _at(piece: str, text: str, place: int) -> int:
    """Where the text goes on after a piece that begins at ``place``; -1 if it does not."""
    end = place + len(piece)
    is_there = end <= len(text) and all(mark in ("?", char) for mark, char in zip(piece, text[place:end], strict=True))
    return end if is_there else -1


def _after(piece: str, text: str, place: int) -> int:
    """Where the text goes on after the first such piece from ``place`` on; -1 without one."""
    if "?" not in piece:
        start = text.find(piece, place)
        return start if start < 0 else start + len(piece)
    match = _pattern(piece).search(text, place)
    return match.end() if match else -1


@lru_cache(maxsize=256)
def _pattern(piece: str) -> re.Pattern[str]:
    """Of a fixed length, so that nothing is tried twice at a place."""
    return re.compile("".join("." if mark == "?" else re.escape(mark) for mark in piece), re.DOTALL)


def is_among(text: str, patterns: Iterable[object]) -> bool:
    """Whether a text is as one of several patterns says."""
    return any(isinstance(pattern, str) and matches(pattern, text) for pattern in patterns)
