"""A clock for tests, which goes on when somebody sleeps."""

from __future__ import annotations

from collections.abc import Callable


class FakeClock:
    """`ports.Clock`; `at` has something happen meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._due: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        return 1_800_000_000 + self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        due = [call for at, call in self._due if at <= self.now]
        self._due = [(at, call) for at, call in self._due if at > self.now]
        for call in due:
            call()

    def at(self, seconds: float, call: Callable[[], object]) -> None:
        """Have ``call`` made once so much time has passed."""
        self._due.append((seconds, call))
