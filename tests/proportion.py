"""Whether a function takes time in proportion to what it is given, on a machine of any speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from tests import measuring

_TIMES: Final = 4
_AT_ONCE: Final = 0.2
"""Seconds in which the square of the size is never done."""
_TRIES: Final = 3


def assert_in_proportion(run: Callable[[int], object], size: int) -> None:
    """A quarter of the size takes more than an eighth of the time; if time grew with the square, it would be a sixteenth."""
    seen = []
    for _ in range(_TRIES):
        whole = _seconds(run, size)
        if whole < _AT_ONCE:
            return
        part = _seconds(run, size // _TIMES)
        if whole < part * 2 * _TIMES:
            return
        seen.append(f"{size // _TIMES}: {part:.2f} CPU s, {size}: {whole:.2f} CPU s")
    raise AssertionError("; ".join(seen))


def _seconds(run: Callable[[int], object], size: int) -> float:
    with measuring.stopped():
        began = time.process_time()
        run(size)
        return time.process_time() - began
