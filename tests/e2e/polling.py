"""Waiting for what happens in another process."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 120.0


def until(is_done: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Return when ``is_done()`` is true.

    Raises:
        TimeoutError: naming what did not happen.
    """
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)
