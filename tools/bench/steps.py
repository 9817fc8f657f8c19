"""What was measured: commands by case, verb and state, and the medians of their runs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.bench.measure import Run

Key = tuple[str, str, str]
"""Case, verb and state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command that was run; ``objects`` is the number that it reported, ``requests`` how many it sent to an API server."""

    case: str
    verb: str
    state: str
    run: Run
    objects: int = 0
    requests: int = 0

    @property
    def key(self) -> Key:
        return self.case, self.verb, self.state


class Medians:
    """The medians of all runs of each command, in the order in which the commands ran first."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps: dict[Key, list[Step]] = {}
        for step in steps:
            self._steps.setdefault(step.key, []).append(step)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._steps)

    def has(self, *keys: Key) -> bool:
        return all(key in self._steps for key in keys)

    def runs(self, key: Key) -> int:
        return len(self._steps[key])

    def objects(self, key: Key) -> int:
        return self._steps[key][0].objects

    def requests(self, key: Key) -> int:
        return self._steps[key][0].requests

    def wall(self, *keys: Key) -> float:
        """Seconds of these commands, one after the other."""
        return sum(statistics.median(step.run.wall for step in self._steps[key]) for key in keys)

    def cpu(self, *keys: Key) -> float:
        """Seconds of these commands together."""
        return sum(statistics.median(step.run.cpu for step in self._steps[key]) for key in keys)

    def peak_mb(self, *keys: Key) -> float:
        """The highest peak of these commands."""
        return max(statistics.median(step.run.peak_mb for step in self._steps[key]) for key in keys)
