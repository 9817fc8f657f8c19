"""Conflict markers of an unfinished Git merge."""

from __future__ import annotations

from typing import Final

_MARKERS: Final = ("<<<<<<< ", ">>>>>>> ")


def conflict_line(text: str) -> int | None:
    """The line of the first conflict marker; None if the text has no conflict."""
    if not all(marker in text for marker in _MARKERS):
        return None
    lines = text.split("\n")
    if not all(any(line.startswith(marker) for line in lines) for marker in _MARKERS):
        return None
    return next(number for number, line in enumerate(lines, 1) if line.startswith(_MARKERS[0]))
