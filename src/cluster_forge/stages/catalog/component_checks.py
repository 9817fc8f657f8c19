"""The checks of one catalog component by `catalog test`, each of which can run by itself.

For every size and tested Kubernetes version the component renders, and for each of its versions the checks of
`checks.registry` pass, alone with what it needs and in a stack for each of its wirings. It renders the same twice, and
each size, wiring and example changes something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final

from cluster_forge.catalog import measurements, value_paths, value_probes, versions, wiring
from cluster_forge.catalog.component_format import ALL_SIZES, CatalogComponent, Example, SizeName, Version, Wiring
from cluster_forge.catalog.stack_context import DOMAIN
from cluster_forge.catalog.trial_plan import MINORS, newest
from cluster_forge.checks import registry
from cluster_forge.checks.exemption import is_exempt
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import FetchError, ForgeError, OfflineError
from cluster_forge.foundation.names import ComponentName, counted, did_you_mean
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack import merge
from cluster_forge.stack.model import Size
from cluster_forge.stages.build.rendering import sourced_tree
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer, content_digest, differing
from cluster_forge.stages.catalog.trial_stack import TrialStacks, exemptions_of
from cluster_forge.yaml.positioned import Positioned

RANDOM: Final = "random-render"
_OFF: Final = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A version of a component at a size, for a Kubernetes version: ``12.11.1``, ``small``, ``1.33``."""

    version: str
    kubernetes: str
    size: str


Result = tuple[Finding, Trial | None]
"""A finding, and the trial that it is from; None if it is from none in particular."""

BoundCheck = Callable[[], Iterable[Result]]
"""A check with everything that it is about."""


class ComponentChecks:
    """The checks of one component."""

    def __init__(self, component: CatalogComponent, trials: TrialRenderer) -> None:
        self._component = component
        self._exemptions = exemptions_of(component)
        self._trials = trials
        self._plans = trials.plans
        self._stacks = TrialStacks(trials)
        self._newest = newest(component)
        self._minors = [minor for minor in MINORS if versions.chosen_version(component, minor)]
        self.measurements: dict[str, dict[str, Any]] = {}
        """By size, for the newest tested version of Kubernetes that it supports."""

    @property
    def summary(self) -> str:
        """What is tested: ``15 trials, 2 wirings, 3 examples``."""
        component = self._component
        return ", ".join(
            (
                counted(len(self._minors) * len(ALL_SIZES), "trial"),
                counted(len(component.wiring), "wiring"),
                counted(len(component.examples), "example"),
            )
        )

    def all(self) -> Iterator[BoundCheck]:
        """The checks in the order of their findings; each turns errors of charts and sources into findings."""
        return (partial(self._caught, check) for check in self._checks())

    def _checks(self) -> Iterator[BoundCheck]:
        yield self._names
        for minor in self._minors:
            yield from (partial(self._trial, minor, size) for size in ALL_SIZES)
        if not self._minors:
            return
        yield self._randomness
        yield self._telemetry
        yield from (partial(self._size_values, size) for size in ALL_SIZES)
        yield from (partial(self._wiring, number, wired) for number, wired in enumerate(self._component.wiring, 1))
        yield from (partial(self._example, example) for example in self._component.examples)

    def _caught(self, check: BoundCheck) -> list[Result]:
        try:
            return list(check())
        except (ForgeError, ExceptionGroup) as error:
            return list(self._failures(error))

    def _finding(self, *, code: str, message: str, where: str = "", object: ObjectId | None = None) -> Finding:  # noqa: A002 - the name of the finding's field
        component = ComponentName(self._component.name)
        return Finding(
            code=code, severity=Severity.ERROR, message=message, component=component, object=object, where=where
        )

    def _failures(
        self, error: ForgeError | ExceptionGroup[Exception], trial: Trial | None = None, prefix: str = ""
    ) -> Iterator[Result]:
        """The errors of a chart or a source; a bug of Cluster-Forge is raised again."""
        for leaf in leaves(error):
            if not isinstance(leaf, ForgeError):
                raise error
            fix = f" ({leaf.fix})" if isinstance(leaf, FetchError | OfflineError) and leaf.fix else ""
            yield self._finding(code="render-failed", message=f"{prefix}{leaf.message}{fix}"), trial

    def _names(self) -> Iterator[Result]:
        """The components and capabilities that it names exist, and it supports a tested Kubernetes version."""
        component, library = self._component, self._plans.library
        if not self._minors:
            tested = ", ".join(f"1.{minor}" for minor in MINORS)
            message = f"no version supports Kubernetes {tested}; versions: {versions.supported_by(component)}"
            yield self._finding(code="kubernetes-range", message=message), None
        known = {*library.names, *library.capabilities, DOMAIN}
        named = {f"needs {need.name}": need.name for need in component.needed}
        named |= {
            f"wiring {number} is with or without {name}": name
            for number, wired in enumerate(component.wiring, 1)
            for name in (*wired.all_of, *wired.none_of)
        }
        if component.lifecycle.successor:
            named[f"its successor is {component.lifecycle.successor}"] = component.lifecycle.successor
        for statement, name in named.items():
            if name not in known:
                message = f"{statement}, which is not a component or capability{did_you_mean(name, known)}"
                yield self._finding(code="unknown-name", message=message), None

    def _trial(self, minor: int, size: SizeName) -> Iterator[Result]:
        """It renders, no object is rendered twice, and the checks of its objects pass."""
        component = self._component
        version = versions.chosen_version(component, minor)
        assert version is not None
        trial = Trial(version=version.version, kubernetes=f"1.{minor}", size=size)
        try:
            objects = self._trials.alone(component.name, minor, size)
        except (ForgeError, ExceptionGroup) as error:
            yield from self._failures(error, trial)
            return
        if not objects:
            yield self._finding(code="render-failed", message="renders no objects"), trial
        if minor == self._newest:
            self.measurements[size] = measurements.of(objects)
        distinct = {(manifest.id, manifest.document.json) for manifest in objects}  # a chart may repeat an object
        for identity, count in Counter(identity for identity, _ in distinct).items():
            if count > 1:
                message = "is rendered twice, with different content"
                yield self._finding(code="duplicate-object", message=message, object=identity), trial
        if minor == self._last_minor_of(version):
            findings = registry.check_component(
                objects, size=Size(size), level=component.pod_security, exemptions=self._exemptions
            )
            findings += self._stacks.whole(component.name, size=size, minor=minor).findings_about(component.name)
            yield from ((finding, trial) for finding in findings)

    def _last_minor_of(self, version: Version) -> int:
        return max(minor for minor in self._minors if versions.chosen_version(self._component, minor) is version)

    def _randomness(self) -> Iterator[Result]:
        is_accepted = any(exemption.code == RANDOM for exemption in self._exemptions)
        if is_accepted and not self._random:
            message = f"the exception for {RANDOM} is unused: two renderings are equal"
            yield self._finding(code="unused-ignore", message=message), None
        elif not is_accepted:
            for identity in sorted(self._random, key=str):
                message = "differs each time it is rendered"
                yield self._finding(code=RANDOM, message=message, object=identity), None

    def _telemetry(self) -> Iterator[Result]:
        """No value is on that reports its use to the maintainers of the software."""
        name, minor = self._component.name, self._newest
        layers = self._plans.layers_alone(name, minor, "large")
        helm = merge.positioned(*layers).plain.get("helm")
        if not helm:
            return
        _, defaults = self._trials.chart_metadata(helm)
        values = merge.values(defaults, *(layer.plain.get("values") or {} for layer in layers))
        for path in value_probes.telemetry(values):
            off = Positioned.of({"values": value_paths.nested(path, _OFF)}, Positioned({}, "without telemetry"))
            message = "is on, and may report to its maintainers how it is used"
            finding = self._finding(code="telemetry", message=message, where=value_paths.dotted(path))
            if not is_exempt(finding, self._exemptions) and not self._renders_same(layers, [*layers, off]):
                yield finding, None

    def _size_values(self, size: SizeName) -> Iterator[Result]:
        whole = self._plans.layers_alone(self._component.name, self._newest, size)
        without = [layer for layer in whole if not layer.file.endswith(f"(size {size})")]
        if len(without) < len(whole) and self._renders_same(whole, without):
            yield self._finding(code="ineffective-value", message=f"the values for size {size} change nothing"), None

    def _wiring(self, number: int, wired: Wiring) -> Iterator[Result]:
        component, size = self._component, wired.sizes[0]
        tried = ((at, self._plans.stack_for_wiring(component, wired, size, at)) for at in reversed(self._minors))
        minor, names = next(((at, stack) for at, stack in tried if stack), (0, []))
        if not names:
            message = f"wiring {number}: no tested Kubernetes version is supported by {', '.join(wired.all_of)} too"
            yield self._finding(code="untried-wiring", message=message), None
            return
        domain = "example.com" if DOMAIN in wired.all_of else ""
        context = self._plans.context(names, minor, size, domain=domain)
        title = f"wiring {number} ({wired.purpose.rstrip('.')})"
        if wired not in wiring.applying(component, context):
            yield self._finding(code="ineffective-value", message=f"{title} never applies"), None
            return
        member = context.components[component.name]
        others = [other for other in component.wiring if other is not wired]
        without = replace(member, component=component.model_copy(update={"wiring": others}))
        apis = self._trials.apis([name for name in context.components if name != component.name], minor, size)
        if self._renders_same(wiring.layers(member, context), wiring.layers(without, context), apis, minor):
            yield self._finding(code="ineffective-value", message=f"{title} changes nothing"), None
        stack = self._stacks.of(*names, size=size, minor=minor, domain=domain, about=[component.name])
        findings = stack.findings_about(component.name)
        alone = self._stacks.whole(component.name, size=size, minor=minor) if findings else None
        known = alone.findings_about(component.name) if alone else ()
        members = ", ".join(dict.fromkeys(names[1:])) or "nothing else"
        for finding in findings:
            if finding not in known:
                yield replace(finding, message=f"{finding.message} (in a stack with {members})"), None

    def _example(self, example: Example) -> Iterator[Result]:
        name, minor, title = self._component.name, self._newest, f"example “{example.title}”"
        whole = self._plans.layers_alone(name, minor, "small")
        if example.exclude:
            objects = self._trials.alone(name, minor, "small")
            files = {file for manifest in objects for file in sourced_tree.exclude_names(manifest)}
            for missing in sorted(set(example.exclude) - files):
                message = f"{title}: exclude {missing!r} leaves nothing out"
                yield self._finding(code="unused-ignore", message=message, where=missing), None
        if example.values:
            changed = [*whole, Positioned.of({"values": example.values}, Positioned({}, "example"))]
            try:
                is_ineffective = self._renders_same(whole, changed)
            except (ForgeError, ExceptionGroup) as error:
                yield from self._failures(error, prefix=f"{title}: ")
                return
            if is_ineffective:
                yield self._finding(code="ineffective-value", message=f"{title} changes nothing"), None
        elif not example.exclude:
            message = f"{title} changes nothing: it has neither values nor exclude"
            yield self._finding(code="ineffective-value", message=message), None

    def _renders_same(
        self, first: Sequence[Positioned], second: Sequence[Positioned], apis: Sequence[str] = (), minor: int = 0
    ) -> bool:
        def objects(layers: Sequence[Positioned]) -> tuple[Manifest, ...]:
            return self._trials.rendered(self._component.name, layers, minor or self._newest, apis)

        return content_digest(objects(first), self._random) == content_digest(objects(second), self._random)

    @cached_property
    def _random(self) -> frozenset[ObjectId]:
        """The objects that differ between two renderings: what changes them cannot be known."""
        name = self._component.name
        layers = self._plans.layers_alone(name, self._newest, "medium")
        return differing(*(self._trials.rendered_again(name, layers, self._newest) for _ in range(2)))
