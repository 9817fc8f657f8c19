"""Which tests count for the coverage: measuring doubles the time of a test, so it is stopped where it shows few lines more.

Those that count are the parts' own examples. Not measured are the rooms of `UNMEASURED`, real charts (``corpus``), properties
(Hypothesis runs the same lines a hundred times), what is marked ``unmeasured``, and what `proportion` takes the time of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import coverage
import pytest

TESTS: Final = Path(__file__).resolve().parent
UNMEASURED: Final = ("cli", "docs", "fuzz")
"""Rooms, with the rooms in them: commands and pages are much work for few lines more."""
MARKERS: Final = ("corpus", "hypothesis", "unmeasured")


def counts(item: pytest.Item) -> bool:
    """Whether coverage is measured while a test runs."""
    room = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
    return room not in UNMEASURED and not any(map(item.get_closest_marker, MARKERS))


@contextmanager
def stopped() -> Iterator[None]:
    """Measure no coverage meanwhile; nothing is done where none is measured.

    In a process of pytest-xdist, pytest-cov has two measurements, and the first one goes on where only the second is stopped.
    """
    running = list(iter(_stopped, None))
    try:
        yield
    finally:
        for measuring in reversed(running):
            measuring.start()


def _stopped() -> coverage.Coverage | None:
    """What measured until now."""
    measuring = coverage.Coverage.current()
    if measuring:
        measuring.stop()
    return measuring
