"""The figures that a run is judged by: ratios within one run, and seconds and peaks with their targets.

Seconds differ from machine to machine. What says something about the program is how long it takes compared with Helm on the
same charts in the same run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tools.bench import delivery, network
from tools.bench.declared import CASE as DECLARED
from tools.bench.delivery import Delivery, Way
from tools.bench.steps import Key, Medians


class Unit(StrEnum):
    TIMES = "×"
    SECONDS = "s"
    MB = "MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured ``value``; ``limit`` and ``goal`` are minima if ``more_is_better``, else maxima.

    ``name`` is what the history knows a figure by: under another name it starts again.
    """

    name: str
    value: float
    unit: Unit
    limit: float | None = None
    goal: float | None = None
    more_is_better: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; nothing if there is none."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.more_is_better else self.value <= self.limit

    @property
    def is_comparable(self) -> bool:
        """Whether the figure says the same on a slower machine."""
        return self.unit is not Unit.SECONDS

    def worsening(self, before: float) -> float:
        """By how much the value is worse than an earlier one: 0.1 for 10 %; negative where it is better."""
        return (before / self.value if self.more_is_better else self.value / before) - 1

    def target(self) -> str:
        """``≥ 2× (goal: 3×)``; empty if there is none."""
        if self.limit is None:
            return ""
        goal = "" if self.goal is None else f" (goal: {self.text(self.goal)})"
        return f"{'≥' if self.more_is_better else '≤'} {self.text(self.limit)}{goal}"

    def measured(self) -> str:
        return self.text(float(f"{self.value:.3g}") if self.value < 1000 else round(self.value))

    def text(self, value: float) -> str:
        return f"{value:g}{'' if self.unit is Unit.TIMES else ' '}{self.unit}"


_FORGE: Key = ("everything", "forge", "cold")
_WARM_SMELT: Key = ("everything", "smelt", "warm")
_WARM_CAST: Key = ("everything", "cast", "warm")
_ONE_BY_ONE: Key = ("everything", "helm template", "one by one")
_ALL_CORES: Key = ("everything", "helm template", "all cores")
_SPLIT: Key = ("everything", "helm template", "and split")
_LEGACY: tuple[Key, ...] = (("v1-input", "smelt", "cold"), ("v1-input", "cast", "cold"))
_HELP: Key = ("program", "--help", "")
_FEW, _MANY = "10,000", "50,000"
_FORGE_MANY: Key = (_MANY, "forge", "cold")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ratio:
    """How many times as long one command takes as others: wall, or CPU."""

    name: str
    dividend: Key
    divisors: tuple[Key, ...]
    of_cpu: bool = False
    limit: float | None = None
    goal: float | None = None


_RATIOS = (
    _Ratio(name="helm one by one ÷ cold forge, wall", dividend=_ONE_BY_ONE, divisors=(_FORGE,), limit=2, goal=3),
    _Ratio(name="helm one by one ÷ cold forge, CPU", dividend=_ONE_BY_ONE, divisors=(_FORGE,), of_cpu=True),
    _Ratio(name="helm on all cores ÷ cold forge, wall", dividend=_ALL_CORES, divisors=(_FORGE,), limit=1),
    _Ratio(name="helm and split ÷ cold forge, CPU", dividend=_SPLIT, divisors=(_FORGE,), of_cpu=True, limit=4, goal=5),
    _Ratio(name="helm one by one ÷ warm smelt, CPU", dividend=_ONE_BY_ONE, divisors=(_WARM_SMELT,), of_cpu=True),
    _Ratio(name="helm one by one ÷ warm cast, CPU", dividend=_ONE_BY_ONE, divisors=(_WARM_CAST,), of_cpu=True),
    _Ratio(name="helm one by one ÷ v1-input, CPU", dividend=_ONE_BY_ONE, divisors=_LEGACY, of_cpu=True),
    _Ratio(name=f"helm one by one ÷ {_MANY} objects, CPU", dividend=_ONE_BY_ONE, divisors=(_FORGE_MANY,), of_cpu=True),
    _Ratio(name="helm one by one ÷ --help, CPU", dividend=_ONE_BY_ONE, divisors=(_HELP,), of_cpu=True),
)
"""Where wall has no target, CPU is compared: other programs change it less."""

_SECONDS: tuple[tuple[str, float, tuple[Key, ...]], ...] = (
    ("--help", 0.1, (_HELP,)),
    ("warm smelt", 0.25, (_WARM_SMELT,)),
    ("warm check", 0.5, (("everything", "check", "warm"),)),
    ("check after a change", 1.5, (("everything", "check", "changed"),)),
    ("check fit of 50,000 Pods on 1,000 nodes", 2, (("1,000 nodes", "check fit", "warm"),)),
    ("customize status", 0.5, (("everything", "customize status", "warm"),)),
    ("customize status of 50 edited objects", 0.5, (("everything", "customize status", "edited"),)),
    ("warm cast", 0.4, (_WARM_CAST,)),
    ("cold cast", 1, (("everything", "cast", "cold"),)),
    ("smelt and cast of v1-input", 2, _LEGACY),
    (f"cold smelt of {_MANY} objects", 20, ((_MANY, "smelt", "cold"),)),
    (f"cold forge of {_MANY} objects", 20, (_FORGE_MANY,)),
    ("deploy of the collection platform", 1800, (("deliver-platform", "deploy", "cold"),)),
    ("every component, size and version of the catalog", 180, (("platform", "catalog test", "all"),)),
)

_KUBECTL = ("kubectl apply", "repeated")
_TIMES = {Way.ARGO_CD: 3, Way.FLUX: None}
"""How many times as long as kubectl an engine may take."""

_PEAKS_MB = (("peak of everything", 700, "everything"), (f"peak of {_MANY} objects", 1024, _MANY))


def figures(medians: Medians) -> Iterator[Figure]:
    """The figures whose commands were all run: ratios, seconds, peaks."""
    yield from _ratios(medians)
    yield from _growth(medians)
    yield from _waiting(medians)
    yield from _merging(medians)
    yield from _declaring(medians)
    for one in delivery.DELIVERIES:
        yield from _delivery(medians, one)
    for name, limit, keys in _SECONDS:
        if medians.has(*keys):
            yield Figure(name=name, value=medians.wall(*keys), unit=Unit.SECONDS, limit=limit)
    for name, limit, case in _PEAKS_MB:
        if keys := tuple(key for key in medians if key[0] == case and key[1] != "helm template"):
            yield Figure(name=name, value=medians.peak_mb(*keys), unit=Unit.MB, limit=limit)


def _ratios(medians: Medians) -> Iterator[Figure]:
    for ratio in _RATIOS:
        if medians.has(ratio.dividend, *ratio.divisors):
            seconds = medians.cpu if ratio.of_cpu else medians.wall
            yield Figure(
                name=ratio.name,
                value=seconds(ratio.dividend) / seconds(*ratio.divisors),
                unit=Unit.TIMES,
                limit=ratio.limit,
                goal=ratio.goal,
                more_is_better=True,
            )


def _growth(medians: Medians) -> Iterator[Figure]:
    """How much longer an object takes among many than among few."""
    for verb in ("smelt", "forge"):
        few, many = (_FEW, verb, "cold"), (_MANY, verb, "cold")
        if medians.has(few, many):
            name = f"{_MANY} ÷ {_FEW} objects: cold {verb}, wall per object"
            value = _seconds_per_object(medians, many) / _seconds_per_object(medians, few)
            yield Figure(name=name, value=value, unit=Unit.TIMES, limit=1.15)


def _merging(medians: Medians) -> Iterator[Figure]:
    """What 50 hand edits add to a `smelt` that has everything else in the cache."""
    plain, edited = (("everything", "smelt", state) for state in ("changed back", "changed and edited"))
    if medians.has(plain, edited):
        value = medians.wall(edited) - medians.wall(plain)
        yield Figure(name="merge of 50 edited objects", value=value, unit=Unit.SECONDS, limit=0.3)


def _declaring(medians: Medians) -> Iterator[Figure]:
    """What a change that the description declares for every object adds to a `smelt` that has all renders in the cache."""
    plain, changed = ("everything", "smelt", "changed back"), (DECLARED, "smelt", "changed")
    if medians.has(plain, changed):
        value = medians.wall(changed) - medians.wall(plain)
        yield Figure(name="declared change of every object", value=value, unit=Unit.SECONDS, limit=2.5)


def _waiting(medians: Medians) -> Iterator[Figure]:
    """How long `mine` takes from afar, compared with the same nearby and the slowest chain of requests."""
    if medians.has(network.HERE, network.AWAY):
        name = f"mine of {network.SOURCES} charts, 50 ms away ÷ here and the slowest chain, wall"
        value = medians.wall(network.AWAY) / (medians.wall(network.HERE) + network.CHAIN)
        yield Figure(name=name, value=value, unit=Unit.TIMES, limit=1.1, goal=1)


def _delivery(medians: Medians, one: Delivery) -> Iterator[Figure]:
    """`deploy` into an empty cluster, compared with kubectl, and with a `deploy` that changes nothing."""
    case = one.case
    deploy, unchanged, kubectl = (case, "deploy", "cold"), (case, "deploy", "unchanged"), (case, *_KUBECTL)
    if not medians.has(deploy):
        return
    is_direct = one.way is Way.DIRECT
    if medians.has(kubectl) and is_direct:
        value = medians.wall(kubectl) / medians.wall(deploy)
        name = f"{case}: kubectl apply ÷ deploy, wall"
        yield Figure(name=name, value=value, unit=Unit.TIMES, limit=2, more_is_better=True)
    elif medians.has(kubectl):
        value = medians.wall(deploy) / medians.wall(kubectl)
        yield Figure(name=f"{case}: deploy ÷ kubectl apply, wall", value=value, unit=Unit.TIMES, limit=_TIMES[one.way])
    if medians.has(unchanged):
        value = medians.wall(deploy) / medians.wall(unchanged)
        name = f"{case}: deploy ÷ deploy unchanged, wall"
        yield Figure(name=name, value=value, unit=Unit.TIMES, limit=10, more_is_better=True)
    if is_direct:  # an engine applies the objects itself
        requests = medians.requests(deploy) / medians.objects(deploy)
        yield Figure(name=f"{case}: requests of deploy, for each object", value=requests, unit=Unit.TIMES, limit=1.2)
    yield Figure(name=f"{case}: peak of deploy", value=medians.peak_mb(deploy), unit=Unit.MB, limit=300)


def _seconds_per_object(medians: Medians, key: Key) -> float:
    return medians.wall(key) / medians.objects(key)
