"""catalog new: the file of a component of one's own, begun from what a chart comes to.

Everything in it was tried: what was set changes what the chart renders, in the way that the file says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.catalog import value_probes
from cluster_forge.catalog.component_format import API_VERSION
from cluster_forge.catalog.trial_plan import MINORS
from cluster_forge.checks import production
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workers import Workers
from cluster_forge.stack.model import Size, Values
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer, mapping
from cluster_forge.stages.catalog.value_search import Probing
from cluster_forge.yaml import document_writer

STAGE: Final = "draft"
_MONITORING: Final = "monitoring.coreos.com"
_CATEGORIES: Final = {
    "ai-machine-learning": "ml",
    "database": "database",
    "integration-delivery": "gitops",
    "monitoring-logging": "monitoring",
    "networking": "networking",
    "security": "security",
    "storage": "storage",
}
"""Artifact Hub's categories (artifacthub.io/docs/topics/annotations/helm) and the catalog's."""

_LEVELS: Final = ("restricted", "baseline")
_OFF: Final = False
_STEPS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class NewComponent:
    """What is asked for: a name, a chart (``helm`` as a description has it), and what the user says of it.

    ``values`` are those without which the chart does not render; ``category`` may be empty.
    """

    name: str
    helm: Mapping[str, str]
    namespace: str
    category: str = ""
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A component's file as far as it could be told: its content, and what a person has to look at."""

    component: Mapping[str, Any]
    remarks: tuple[str, ...]


def text(made: Draft) -> str:
    """The file of a component that was begun."""
    name, version = made.component["name"], made.component["versions"][0]["version"]
    chart = made.component["helm"]["chart"]
    lines = [
        f"# Begun by `cluster-forge catalog new` from {chart} {version}; try it with `catalog test {name}`. To look at:"
    ]
    lines += (f"# - {' '.join(remark.split())}" for remark in made.remarks)
    return "".join(f"{line}\n" for line in lines) + document_writer.document(made.component)


def draft(asked: NewComponent, trials: TrialRenderer, workers: Workers, reporter: Reporter) -> Draft:
    """Begin a component.

    Raises:
        FetchError, OfflineError, ArchiveError, DescriptionError: if the chart cannot be had.
        RenderError, ManifestError, ExceptionGroup: if it renders for no version of Kubernetes.
    """
    reporter.stage_started(STAGE, _STEPS)
    chart, defaults = trials.described(dict(asked.helm))
    probing = Probing(
        name=asked.name,
        helm=asked.helm,
        namespace=asked.namespace,
        defaults=defaults,
        trials=trials,
        values=dict(asked.values),
    )
    return _Drafting(asked, chart, probing, reporter).all(workers)


class _Drafting:
    """The steps, one after the other, and what they came to in the end."""

    def __init__(self, asked: NewComponent, chart: Mapping[str, Any], probing: Probing, reporter: Reporter) -> None:
        self._asked = asked
        self._chart = chart
        self._probing = probing
        self._reporter = reporter

    def all(self, workers: Workers) -> Draft:
        probing = self._probing
        fitting = self._step("Kubernetes versions", lambda: self._fitting(workers))
        self._step("Secrets", probing.name_secrets)
        self._step("Services", lambda: probing.switch(value_probes.exposed, "ClusterIP"))
        self._step("telemetry", lambda: probing.switch(value_probes.telemetry, _OFF))
        self._step("resources", probing.bound)
        self._step("replicas", probing.scale)
        self._step("volumes", probing.size_volumes)
        self._step("monitors", probing.monitor)
        component = self._step("rules", lambda: self._component(fitting))
        self._reporter.stage_finished(STAGE, f"{self._asked.name} for Kubernetes {fitting}")
        return Draft(component=component, remarks=tuple(probing.remarks))

    def _step(self, name: str, work: Callable[[], Any]) -> Any:
        self._reporter.item_started(STAGE, name)
        found = work()
        self._reporter.item_finished(STAGE, name)
        return found

    def _fitting(self, workers: Workers) -> str:
        """The versions of Kubernetes for which it renders, as a range."""
        every = [minor for minor in kubernetes_apis.minors() if minor >= MINORS[0]]

        def renders(minor: int) -> ForgeError | ExceptionGroup[Any] | None:
            try:
                self._probing.objects(minor=minor)
            except (ForgeError, ExceptionGroup) as error:
                return error
            return None

        problems = dict(zip(every, workers.map(renders, every), strict=True))
        good = [minor for minor in every if problems[minor] is None]
        if problem := problems[every[-1]] if not good else None:
            raise problem
        last = first = good[-1]
        while first - 1 in good:
            first -= 1
        self._probing.minor = max((minor for minor in MINORS if minor in good), default=last)
        return f"1.{first}+" if last == every[-1] else f"1.{first}-1.{last}"

    def _component(self, fitting: str) -> dict[str, Any]:
        probing, asked, chart = self._probing, self._asked, self._chart
        objects = probing.objects()
        said = mapping(chart.get("annotations"))
        level = next((each for each in _LEVELS if not _above(objects, each)), "privileged")
        category = asked.category or _CATEGORIES.get(str(said.get("artifacthub.io/category")), "")
        if not category:
            self._probing.remarks.append("`category`: the chart does not tell one; it stands under core")
        license_name = str(said.get("artifacthub.io/license") or said.get("licenses") or "")
        if not license_name:
            self._probing.remarks.append("`license`: the chart does not tell it; look it up (SPDX)")
        groups = sorted({each.facts.defines.group for each in objects if each.facts.defines})
        helm = {key: asked.helm[key] for key in ("repository", "chart", "release") if asked.helm.get(key)}
        component: dict[str, Any] = {
            "apiVersion": API_VERSION,
            "kind": "Component",
            "name": asked.name,
            "title": str(chart.get("name", asked.name)),
            "description": " ".join(str(chart.get("description") or "What it does, in one sentence.").split()),
            "category": category or "core",
            "homepage": str(
                chart.get("home") or _first(chart.get("sources")) or asked.helm.get("repository") or "unknown"
            ),
            "license": license_name or "unknown",
            "namespace": asked.namespace,
            "podSecurity": level,
            "helm": helm,
            "versions": [{"version": str(chart.get("version", "")), "kubernetes": fitting}],
            "values": _escaped(probing.values),
            "sizes": {size: values for size, values in probing.sizes.items() if values},
            "needs": list(self._needs(objects, groups)),
            "provides": {group: {} for group in groups},
            "secrets": probing.secrets,
            "wiring": probing.wiring,
        }
        self._remark(objects, level)
        return {key: value for key, value in component.items() if value}

    def _needs(self, objects: Sequence[Manifest], own: Sequence[str]) -> Iterator[str]:
        """Volumes, and the APIs of others that its objects are of."""
        if next(value_probes.claims([each.body for each in objects]), None):
            yield "storage-class"
        library = self._probing.trials.companies.library
        served = {each.partition("/")[0] for each in kubernetes_apis.api_versions(self._probing.minor) if "/" in each}
        for group in sorted({each.id.group for each in objects} - set(own) - served - {""}):
            if library.providers(group):
                yield group
            else:
                self._probing.remarks.append(f"it makes objects of {group}, which no component of the catalog brings")

    def _remark(self, objects: Sequence[Manifest], level: str) -> None:
        """What is left to a person."""
        if level != _LEVELS[0]:
            why = dict.fromkeys(each.message for each in _above(objects, _LEVELS[0]))
            self._probing.remarks.append(f"Pod Security {level}, not {_LEVELS[0]}: {'; '.join(why)}")
        if self._probing.drawn:
            drawn = ", ".join(sorted(f"{each.kind}/{each.name}" for each in self._probing.drawn))
            self._probing.remarks.append(f"it draws random values: {drawn} come out otherwise each time")
        images = sorted({image for each in objects for image in each.facts.images})
        self._probing.remarks.append(f"images: {', '.join(images)}" if images else "it runs no image")


def _above(objects: Sequence[Manifest], level: str) -> list[production.Breach]:
    found = production.breaches(objects, size=Size.SMALL, level=level)
    return [each for each in found if each.rule == "pod-security"]


def _escaped(value: Any) -> Any:
    """Values as they stand in a component's file, where ``${`` begins what is filled in."""
    if isinstance(value, Mapping):
        return {key: _escaped(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    return value.replace("${", "$${") if isinstance(value, str) else value


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else ""
