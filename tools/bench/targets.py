"""The performance targets, and whether a run reached them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.bench.cases import CATALOG, Step

Key = tuple[str, str, str]

_FORGE: Key = ("everything", "forge", "cold")
_SMALL, _LARGE = "10,000", "50,000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A measured ``value`` and its ``limit``: a minimum if ``is_least``, else a maximum."""

    what: str
    value: float
    limit: float
    unit: str = ""
    is_least: bool = False

    @property
    def reached(self) -> bool:
        return self.value >= self.limit if self.is_least else self.value <= self.limit

    def __str__(self) -> str:
        verdict = "reached" if self.reached else "missed "
        sign = "≥" if self.is_least else "≤"
        return f"{verdict}  {self.value:>8.2f}{self.unit:<3} {sign} {self.limit:g}{self.unit:<3} {self.what}"


class Medians:
    """The medians of all rounds, by case, verb and state."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps: dict[Key, list[Step]] = {}
        for step in steps:
            self._steps.setdefault(step.key, []).append(step)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._steps)

    def __contains__(self, key: Key) -> bool:
        return key in self._steps

    def rounds(self, key: Key) -> int:
        return len(self._steps[key])

    def objects(self, key: Key) -> int:
        return self._steps[key][0].objects

    def wall(self, key: Key) -> float:
        return statistics.median(step.run.wall for step in self._steps[key])

    def cpu(self, key: Key) -> float:
        return statistics.median(step.run.cpu for step in self._steps[key])

    def peak_mb(self, key: Key) -> float:
        return statistics.median(step.run.peak_mb for step in self._steps[key])


def targets(medians: Medians) -> Iterator[Target]:
    """The targets whose commands were all run."""
    template, split = ("everything", "helm template", "one by one"), ("everything", "helm template", "and split")
    if _FORGE in medians and template in medians:
        ratio = medians.wall(template) / medians.wall(_FORGE)
        what = "as fast as `helm template` one by one: cold forge of everything, wall"
        yield Target(what=f"{what} (goal: 3)", value=ratio, limit=2, unit="×", is_least=True)
    if _FORGE in medians and split in medians:
        ratio = medians.cpu(split) / medians.cpu(_FORGE)
        what = "less than `helm template` and a split by PyYAML: cold forge of everything, CPU"
        yield Target(what=what, value=ratio, limit=5, unit="×", is_least=True)
    yield from _seconds(medians, 0.5, "smelt of everything, nothing changed", ("everything", "smelt", "warm"))
    yield from _seconds(medians, 1, "cast of everything", ("everything", "cast", "cold"))
    yield from _seconds(
        medians, 2, "smelt and cast of v1-input", ("v1-input", "smelt", "cold"), ("v1-input", "cast", "cold")
    )
    yield from _seconds(
        medians, 180, "every component, size and version of the catalog", (CATALOG, "catalog test", "all")
    )
    small, large = (_SMALL, "smelt", "cold"), (_LARGE, "smelt", "cold")
    if small in medians and large in medians:
        ratio = _seconds_per_object(medians, large) / _seconds_per_object(medians, small)
        what = f"time per object of smelt: {_LARGE} objects compared with {_SMALL}"
        yield Target(what=what, value=ratio, limit=1.15, unit="×")
    for verb in ("smelt", "cast", "forge"):
        key = (_LARGE, verb, "cold")
        if key in medians:
            yield Target(what=f"peak of {verb} of {_LARGE} objects", value=medians.peak_mb(key), limit=1500, unit="MB")


def _seconds(medians: Medians, limit: float, what: str, *keys: Key) -> Iterator[Target]:
    if all(key in medians for key in keys):
        yield Target(what=what, value=sum(map(medians.wall, keys)), limit=limit, unit="s")


def _seconds_per_object(medians: Medians, key: Key) -> float:
    return medians.wall(key) / medians.objects(key)
