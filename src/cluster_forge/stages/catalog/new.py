"""catalog new: a draft of a component's file, from what a chart renders.

Everything in it was tried: each value changes what the chart renders, in the way that the file says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.catalog import value_probes
from cluster_forge.catalog.component_format import API_VERSION
from cluster_forge.catalog.trial_plan import MINORS
from cluster_forge.checks.exemption import short_name
from cluster_forge.checks.security import pod_security
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports.progress import Reporter
from cluster_forge.ports.workers import Workers
from cluster_forge.stack.component import Values
from cluster_forge.stages.catalog import replica_search, secret_search
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer
from cluster_forge.stages.catalog.value_search import ValueSearch
from cluster_forge.yaml import document_writer

STAGE: Final = "draft"
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
    """A name, a chart (``helm`` as in a description) and the user's choices.

    ``values`` are those that the chart requires; ``category`` may be empty.
    """

    name: str
    helm: Mapping[str, str]
    namespace: str
    category: str = ""
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The content of a component's file, and remarks on what a person must check."""

    component: Mapping[str, Any]
    remarks: tuple[str, ...]


def text(draft: Draft) -> str:
    """The text of the file, with the remarks as comments."""
    name, version = draft.component["name"], draft.component["versions"][0]["version"]
    chart = draft.component["helm"]["chart"]
    lines = [
        f"# Drafted by `cluster-forge catalog new` from {chart} {version}; test it: `catalog test {name}`. To check:"
    ]
    lines += (f"# - {' '.join(remark.split())}" for remark in draft.remarks)
    return "".join(f"{line}\n" for line in lines) + document_writer.document(draft.component)


def draft(wanted: NewComponent, trials: TrialRenderer, workers: Workers, reporter: Reporter) -> Draft:
    """Draft a component from its chart.

    Raises:
        FetchError, OfflineError, ArchiveError, DescriptionError: if the chart is not available.
        RenderError, ManifestError, ExceptionGroup: if it renders for no Kubernetes version.
    """
    reporter.stage_started(STAGE, _STEPS)
    chart, defaults = trials.chart_metadata(dict(wanted.helm))
    search = ValueSearch(
        name=wanted.name,
        helm=wanted.helm,
        namespace=wanted.namespace,
        defaults=defaults,
        trials=trials,
        values=dict(wanted.values),
    )
    return _Drafting(wanted, chart, search, reporter).all(workers)


class _Drafting:
    """The steps, one after the other, and the component that they result in."""

    def __init__(self, wanted: NewComponent, chart: Mapping[str, Any], search: ValueSearch, reporter: Reporter) -> None:
        self._wanted = wanted
        self._chart = chart
        self._search = search
        self._reporter = reporter

    def all(self, workers: Workers) -> Draft:
        search = self._search
        fitting = self._step("Kubernetes versions", lambda: self._fitting(workers))
        self._step("Secrets", lambda: secret_search.name_secrets(search))
        self._step("Services", lambda: search.switch(value_probes.exposed, "ClusterIP"))
        self._step("telemetry", lambda: search.switch(value_probes.telemetry, _OFF))
        self._step("resources", search.set_resources)
        self._step("replicas", lambda: replica_search.scale(search))
        self._step("volumes", search.size_volumes)
        self._step("monitors", search.monitor)
        component = self._step("rules", lambda: self._component(fitting))
        self._reporter.stage_finished(STAGE, f"{self._wanted.name} for Kubernetes {fitting}")
        return Draft(component=component, remarks=tuple(search.remarks))

    def _step(self, name: str, work: Callable[[], Any]) -> Any:
        self._reporter.item_started(STAGE, name)
        result = work()
        self._reporter.item_finished(STAGE, name)
        return result

    def _fitting(self, workers: Workers) -> str:
        """The Kubernetes versions for which it renders, as a range."""
        every = [minor for minor in kubernetes_apis.minors() if minor >= MINORS[0]]

        def renders(minor: int) -> ForgeError | ExceptionGroup[Any] | None:
            try:
                self._search.objects(minor=minor)
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
        self._search.minor = max((minor for minor in MINORS if minor in good), default=last)
        return f"1.{first}+" if last == every[-1] else f"1.{first}-1.{last}"

    def _component(self, fitting: str) -> dict[str, Any]:
        search, wanted, chart = self._search, self._wanted, self._chart
        objects = search.objects()
        annotations = mapping(chart.get("annotations"))
        level = next((level for level in _LEVELS if not _above(objects, level)), "privileged")
        category = wanted.category or _CATEGORIES.get(str(annotations.get("artifacthub.io/category")), "")
        if not category:
            self._search.remarks.append("`category`: the chart does not name one; set to core")
        license_name = str(annotations.get("artifacthub.io/license") or annotations.get("licenses") or "")
        if not license_name:
            self._search.remarks.append("`license`: the chart does not name one; look it up (SPDX)")
        groups = sorted({manifest.facts.defines.group for manifest in objects if manifest.facts.defines})
        helm = {key: wanted.helm[key] for key in ("repository", "chart", "release") if wanted.helm.get(key)}
        component: dict[str, Any] = {
            "apiVersion": API_VERSION,
            "kind": "Component",
            "name": wanted.name,
            "title": str(chart.get("name", wanted.name)),
            "description": " ".join(str(chart.get("description") or "What it does, in one sentence.").split()),
            "category": category or "core",
            "homepage": str(
                chart.get("home") or _first(chart.get("sources")) or wanted.helm.get("repository") or "unknown"
            ),
            "license": license_name or "unknown",
            "namespace": wanted.namespace,
            "podSecurity": level,
            "helm": helm,
            "versions": [{"version": str(chart.get("version", "")), "kubernetes": fitting}],
            "values": _escaped(search.values),
            "sizes": {size: values for size, values in search.sizes.items() if values},
            "needs": list(self._needs(objects, groups)),
            "provides": {group: {} for group in groups},
            "secrets": search.secrets,
            "wiring": search.wiring,
        }
        self._remark(objects, level)
        return {key: value for key, value in component.items() if value}

    def _needs(self, objects: Sequence[Manifest], own: Sequence[str]) -> Iterator[str]:
        """Volumes, and the custom APIs of its objects."""
        if next(value_probes.claims([manifest.body for manifest in objects]), None):
            yield "storage-class"
        library = self._search.trials.plans.library
        served = {api.partition("/")[0] for api in kubernetes_apis.api_versions(self._search.minor) if "/" in api}
        for group in sorted({manifest.id.group for manifest in objects} - set(own) - served - {""}):
            if library.providers(group):
                yield group
            else:
                self._search.remarks.append(f"it has objects of {group}, which no component of the catalog provides")

    def _remark(self, objects: Sequence[Manifest], level: str) -> None:
        """Remark on what a person must decide."""
        if level != _LEVELS[0]:
            reasons = dict.fromkeys(_above(objects, _LEVELS[0]))
            self._search.remarks.append(f"Pod Security {level}, not {_LEVELS[0]}: {'; '.join(reasons)}")
        if self._search.random:
            random = ", ".join(sorted(map(short_name, self._search.random)))
            self._search.remarks.append(f"it renders random values: {random} differ each time")
        images = sorted({image for manifest in objects for image in manifest.facts.images})
        self._search.remarks.append(f"images: {', '.join(images)}" if images else "it runs no image")


def _above(objects: Sequence[Manifest], level: str) -> list[str]:
    """What keeps the pods of each object from a Pod Security level; hooks are not applied."""
    wrong = (pod_security.beyond(manifest, level) for manifest in objects if not manifest.facts.hook)
    return [pod_security.listed(of_one) for of_one in wrong if of_one]


def _escaped(value: Any) -> Any:
    """Values as in a component's file, where ``${`` starts a placeholder."""
    if isinstance(value, Mapping):
        return {key: _escaped(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value.replace("${", "$${") if isinstance(value, str) else value


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else ""
