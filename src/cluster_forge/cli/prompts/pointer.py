"""The pointer of a list: what the keys do with it."""

from __future__ import annotations


def moved(position: int, by: int, rows: int) -> int:
    """The position ``by`` rows further down; a single step past an end wraps around, a longer one stops at the end."""
    last, wanted = max(rows - 1, 0), position + by
    if abs(by) == 1 and not 0 <= wanted <= last:
        return last if by < 0 else 0
    return min(max(wanted, 0), last)
