"""Time, for what waits and for what is dated."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The time of this machine. A test has one of its own, which goes on when it sleeps."""

    def time(self) -> float:
        """Seconds since 1970, for dates."""

    def monotonic(self) -> float:
        """Seconds since some moment, for durations."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
