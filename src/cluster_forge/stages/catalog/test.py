"""catalog test: what a catalog's components have to keep, tried on what they come to.

Every size for several versions of Kubernetes; the rules for production; that what it names is there, with what it needs and
with those whom its wirings are for; that nothing is drawn at random; that each size, wiring and example changes something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from threading import Lock
from typing import Any

from cluster_forge.catalog import measurements, value_probes, wiring
from cluster_forge.catalog.component_format import ALL_SIZES, CatalogComponent, Example, SizeName, Version, Wiring
from cluster_forge.catalog.trial_plan import MINORS, newest
from cluster_forge.checks import production
from cluster_forge.foundation.errors import FetchError, ForgeError, OfflineError, leaves
from cluster_forge.foundation.names import counted, did_you_mean
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workers import Workers
from cluster_forge.stack import merge
from cluster_forge.stack.model import Size
from cluster_forge.stages.build import sourced_tree
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer, contents, differing
from cluster_forge.stages.catalog.trial_stack import TrialStacks
from cluster_forge.yaml.positioned import Positioned

STAGE = "test"
_RANDOM, _TELEMETRY = "random", "telemetry"
_OFF = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A version of a component at a size, for a Kubernetes version: ``12.11.1``, ``small``, ``1.33``."""

    version: str
    kubernetes: str
    size: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a component does not keep, and in which trials; in none of them alone if there are none."""

    rule: str
    object: str
    message: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a component stood its tests; ``told`` says in a few words what was tried.

    ``sizes`` has what it comes to at each size (`catalog.facts`), for the newest version of Kubernetes that it was tried for.
    """

    component: str
    told: str
    faults: tuple[Fault, ...]
    sizes: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Found:
    rule: str
    object: str
    message: str
    trial: Trial | None = None


_Check = Callable[[], Iterable[_Found]]


def test(names: Sequence[str], trials: TrialRenderer, workers: Workers, reporter: Reporter) -> list[Verdict]:
    """Try components of the library of ``trials``.

    Raises:
        UnknownNameError, DescriptionError, ExceptionGroup: if there is no such component, or its file is wrong.
    """
    testing = {name: _Testing(trials.companies.library.component(name), trials) for name in names}
    checks = [(name, check) for name, each in testing.items() for check in each.checks()]
    progress = _Progress(reporter, Counter(name for name, _ in checks))

    def run(named: tuple[str, _Check]) -> list[_Found]:
        name, check = named
        progress.began(name)
        found = _tried(check)
        progress.ended(name, len(found))
        return found

    by_name: dict[str, list[_Found]] = {name: [] for name in names}
    for (name, _), found in zip(checks, workers.map(run, checks), strict=True):
        by_name[name] += found
    reporter.stage_finished(STAGE, counted(len(names), "component"))
    return [
        Verdict(
            component=name,
            told=each.told,
            faults=tuple(_grouped(by_name[name])),
            sizes={size: each.sizes[size] for size in ALL_SIZES if size in each.sizes},
        )
        for name, each in testing.items()
    ]


class _Progress:
    """Tells of each component when its first check begins and its last one ends."""

    def __init__(self, reporter: Reporter, checks: Counter[str]) -> None:
        self._reporter = reporter
        self._left = checks.copy()
        self._faults: Counter[str] = Counter()
        self._begun: set[str] = set()
        self._lock = Lock()
        reporter.stage_started(STAGE, len(checks))

    def began(self, name: str) -> None:
        with self._lock:
            is_first = name not in self._begun
            self._begun.add(name)
        if is_first:
            self._reporter.item_started(STAGE, name)

    def ended(self, name: str, faults: int) -> None:
        with self._lock:
            self._left[name] -= 1
            self._faults[name] += faults
            is_done = not self._left[name]
        if is_done:
            self._reporter.item_finished(
                STAGE, name, counted(self._faults[name], "fault") if self._faults[name] else ""
            )


def _called(identity: ObjectId) -> str:
    """As the rules for production call an object."""
    return f"{identity.kind}/{identity.name}"


def _tried(check: _Check) -> list[_Found]:
    """What a check finds; what a chart or a source says against being tried is found, too."""
    try:
        return list(check())
    except (ForgeError, ExceptionGroup) as error:
        return [_Found("renders", "", said) for said in _said(error)]


def _said(error: ForgeError | ExceptionGroup[Exception]) -> Iterator[str]:
    """What a chart or a source says, with the way out; a bug of ours passes as it is."""
    for each in leaves(error):
        if not isinstance(each, ForgeError):
            raise error
        yield (
            f"{each.message} ({each.fix})" if isinstance(each, FetchError | OfflineError) and each.fix else each.message
        )


def _grouped(found: Iterable[_Found]) -> Iterator[Fault]:
    trials: dict[tuple[str, str, str], dict[Trial | None, None]] = {}
    for each in found:
        trials.setdefault((each.rule, each.object, each.message), {})[each.trial] = None
    for (rule, named, message), where in trials.items():
        yield Fault(rule=rule, object=named, message=message, trials=tuple(filter(None, where)))


class _Testing:
    """The checks of one component."""

    def __init__(self, component: CatalogComponent, trials: TrialRenderer) -> None:
        self._component = component
        self._trials = trials
        self._companies = trials.companies
        self._stacks = TrialStacks(trials)
        self._newest = newest(component)
        self.sizes: dict[str, dict[str, Any]] = {}
        self._fitting = [minor for minor in MINORS if wiring.chosen_version(component, minor)]

    @property
    def told(self) -> str:
        component = self._component
        parts = [
            counted(len(self._fitting) * len(ALL_SIZES), "trial"),
            counted(len(component.wiring), "wiring"),
            counted(len(component.examples), "example"),
        ]
        return ", ".join(parts)

    def checks(self) -> Iterator[_Check]:
        """Each can be run by itself."""
        yield self._names
        for minor in self._fitting:
            yield from (partial(self._size, minor, size) for size in ALL_SIZES)
        if not self._fitting:
            return
        yield self._random
        yield self._telemetry
        yield from (partial(self._size_delta, size) for size in ALL_SIZES)
        yield from (partial(self._wiring, number, each) for number, each in enumerate(self._component.wiring, 1))
        yield from (partial(self._example, each) for each in self._component.examples)

    def _names(self) -> Iterator[_Found]:
        """What the component names has to be there, and it has to be for a version that is tried."""
        component, library = self._component, self._companies.library
        if not self._fitting:
            ranges = ", ".join(f"{each.version} is for {each.kubernetes}" for each in component.versions)
            tried = ", ".join(f"1.{minor}" for minor in MINORS)
            yield _Found("kubernetes", "", f"{ranges}, and none of {tried} is among these")
        known = {*library.names, *library.capabilities, wiring.DOMAIN}
        named = {f"needs {need.name}": need.name for need in component.needed}
        named |= {
            f"wiring {number} is with or without {name}": name
            for number, each in enumerate(component.wiring, 1)
            for name in (*each.all_of, *each.none_of)
        }
        if component.lifecycle.successor:
            named[f"its successor is {component.lifecycle.successor}"] = component.lifecycle.successor
        for said, name in named.items():
            if name not in known:
                yield _Found(
                    "unknown-name", "", f"{said}, which is no component and no capability{did_you_mean(name, known)}"
                )

    def _size(self, minor: int, size: SizeName) -> Iterator[_Found]:
        """It parses, no object comes twice, and the rules for production are kept."""
        component = self._component
        version = wiring.chosen_version(component, minor)
        assert version is not None
        trial = Trial(version=version.version, kubernetes=f"1.{minor}", size=size)
        try:
            objects = self._trials.alone(component.name, minor, size)
        except (ForgeError, ExceptionGroup) as error:
            yield from (_Found("renders", "", said, trial) for said in _said(error))
            return
        if not objects:
            yield _Found("renders", "", "it comes to nothing", trial)
        if minor == self._newest:
            self.sizes[size] = measurements.of(objects)
        different = {(each.id, each.document.json) for each in objects}  # a chart may say the same thing twice
        counts = Counter(identity for identity, _ in different)
        yield from (
            _Found("duplicate-object", _called(each), "comes twice, and not the same", trial)
            for each, count in counts.items()
            if count > 1
        )
        if minor == self._last_of(version):
            found = production.breaches(
                objects, size=Size(size), level=component.pod_security, exceptions=component.exceptions
            )
            found += self._stacks.whole(component.name, size=size, minor=minor).lost(component.name)
            yield from (_Found(each.rule, each.object, each.message, trial) for each in found)

    def _last_of(self, version: Version) -> int:
        return max(minor for minor in self._fitting if wiring.chosen_version(self._component, minor) is version)

    def _random(self) -> Iterator[_Found]:
        is_exempt = any(each.rule == _RANDOM for each in self._component.exceptions)
        if is_exempt and not self._drawn:
            yield _Found(_RANDOM, "", "the exception is not needed: twice gives the same")
        elif not is_exempt:
            for each in sorted(self._drawn, key=str):
                yield _Found(_RANDOM, _called(each), "is another one each time")

    def _telemetry(self) -> Iterator[_Found]:
        """Nothing is on that tells the makers of the software about its use."""
        name, minor = self._component.name, self._newest
        layers = self._companies.alone(name, minor, "large")
        helm = merge.positioned(*layers).plain.get("helm")
        if not helm:
            return
        _, defaults = self._trials.described(helm)
        values = merge.values(defaults, *(layer.plain.get("values") or {} for layer in layers))
        for path in value_probes.telemetry(values):
            off = Positioned.of({"values": value_probes.nested(path, _OFF)}, Positioned({}, "without telemetry"))
            shown = value_probes.shown(path)
            if not production.is_exempt(_TELEMETRY, shown, self._component.exceptions) and not self._same(
                layers, [*layers, off]
            ):
                yield _Found(_TELEMETRY, shown, "is on, and may tell its makers how it is used")

    def _size_delta(self, size: SizeName) -> Iterator[_Found]:
        whole = self._companies.alone(self._component.name, self._newest, size)
        lacking = [layer for layer in whole if not layer.file.endswith(f"(size {size})")]
        if len(lacking) < len(whole) and self._same(whole, lacking):
            yield _Found("idle-size", "", f"what it has for size {size} changes nothing")

    def _wiring(self, number: int, each: Wiring) -> Iterator[_Found]:
        component, size = self._component, each.sizes[0]
        tried = ((at, self._companies.company(component, each, size, at)) for at in reversed(self._fitting))
        minor, names = next(((at, found) for at, found in tried if found), (0, []))
        if not names:
            company = ", ".join(each.all_of)
            yield _Found(
                "untried-wiring", "", f"wiring {number}: no version of Kubernetes that is tried is for {company}, too"
            )
            return
        domain = "example.com" if wiring.DOMAIN in each.all_of else ""
        around = self._companies.around(names, minor, size, domain=domain)
        called = f"wiring {number} ({each.purpose.rstrip('.')})"
        if each not in wiring.applying(component, around):
            yield _Found("idle-wiring", "", f"{called} never applies")
            return
        placed = around.placed[component.name]
        others = [one for one in component.wiring if one is not each]
        lacking = replace(placed, component=component.model_copy(update={"wiring": others}))
        apis = self._trials.apis([name for name in around.placed if name != component.name], minor, size)
        if self._same(wiring.layers(placed, around), wiring.layers(lacking, around), apis, minor):
            yield _Found("idle-wiring", "", f"{called} changes nothing")
        stack = self._stacks.of(*names, size=size, minor=minor, domain=domain, about=[component.name])
        lost = stack.lost(component.name)
        known = self._stacks.whole(component.name, size=size, minor=minor).lost(component.name) if lost else ()
        company = ", ".join(dict.fromkeys(names[1:])) or "nothing else"
        for one in lost:
            if one not in known:
                yield _Found(one.rule, one.object, f"{one.message} (with {company})")

    def _example(self, each: Example) -> Iterator[_Found]:
        name, minor = self._component.name, self._newest
        whole = self._companies.alone(name, minor, "small")
        if each.exclude:
            there = {
                called for one in self._trials.alone(name, minor, "small") for called in sourced_tree.exclude_names(one)
            }
            for missing in sorted(set(each.exclude) - there):
                yield _Found("idle-example", missing, f"“{each.title}” leaves out what is not there")
        if each.values:
            changed = [*whole, Positioned.of({"values": each.values}, Positioned({}, "example"))]
            try:
                is_idle = self._same(whole, changed)
            except (ForgeError, ExceptionGroup) as error:
                yield from (_Found("renders", "", f"“{each.title}”: {said}") for said in _said(error))
                return
            if is_idle:
                yield _Found("idle-example", "", f"“{each.title}” changes nothing")
        elif not each.exclude:
            yield _Found("idle-example", "", f"“{each.title}” changes nothing: it has neither values nor exclude")

    def _same(
        self, one: Sequence[Positioned], other: Sequence[Positioned], apis: Sequence[str] = (), minor: int = 0
    ) -> bool:
        def made(layers: Sequence[Positioned]) -> tuple[Manifest, ...]:
            return self._trials.made(self._component.name, layers, minor or self._newest, apis)

        return contents(made(one), self._drawn) == contents(made(other), self._drawn)

    @cached_property
    def _drawn(self) -> frozenset[ObjectId]:
        """The objects that come out otherwise each time: of these nobody can say what changes them."""
        name = self._component.name
        layers = self._companies.alone(name, self._newest, "medium")
        return differing(*(self._trials.made_anew(name, layers, self._newest) for _ in range(2)))
