"""The lines of two texts that differ, as ``diff -u`` prints them."""

from __future__ import annotations

import difflib
from typing import Final

_MOST: Final = 20_000
"""Lines; longer texts are not compared, since that takes quadratic time."""


def unified(before: str, after: str, names: tuple[str, str]) -> tuple[str, ...] | None:
    """The lines of a unified diff between texts with these names; none if they are equal, None if they are too long."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) + len(new) > _MOST:
        return None
    return tuple(difflib.unified_diff(old, new, *names, lineterm=""))
