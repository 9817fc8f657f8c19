"""catalog new: the file of a component of one's own, begun from what a chart comes to.

Everything in it was tried: what was set changes what the chart renders, in the way that the file says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.catalog import probes, rules
from cluster_forge.catalog.company import MINORS
from cluster_forge.catalog.format import API_VERSION, SizeName
from cluster_forge.catalog.probes import Path
from cluster_forge.foundation.errors import ForgeError, leaves, raise_all
from cluster_forge.manifests import kubernetes_apis, quantity
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.ports import Reporter, Workers
from cluster_forge.stack import emit, merge
from cluster_forge.stack.model import Size, Values
from cluster_forge.stack.traced import Traced
from cluster_forge.stages.trials import Trials, contents, mapping, placed

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
_REQUESTS: Final = {"cpu": "50m", "memory": "128Mi"}
_LIMITS: Final = {"memory": "256Mi"}
_REPLICAS: Final[Mapping[SizeName, int]] = {"medium": 2, "large": 3}
_GROWTH: Final[Mapping[SizeName, int]] = {"medium": 2, "large": 5}
"""How much larger than at size small volumes are."""

_ON: Final = True
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
    lines += (f"# - {remark}" for remark in made.remarks)
    return "".join(f"{line}\n" for line in lines) + emit.document(made.component)


def draft(asked: NewComponent, trials: Trials, workers: Workers, reporter: Reporter) -> Draft:
    """Begin a component.

    Raises:
        FetchError, OfflineError, ArchiveError, DescriptionError: if the chart cannot be had.
        RenderError, ManifestError, ExceptionGroup: if it renders for no version of Kubernetes.
    """
    reporter.started(STAGE, _STEPS)
    chart, defaults = trials.described(dict(asked.helm))
    return _Drafting(asked, chart, defaults, trials, workers, reporter).all()


@dataclass
class _Drafting:
    """The steps, each of which renders the chart with what is known so far and something to be tried."""

    asked: NewComponent
    chart: Mapping[str, Any]
    defaults: Mapping[str, Any]
    trials: Trials
    workers: Workers
    reporter: Reporter
    values: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, dict[str, Any]] = field(default_factory=lambda: {"medium": {}, "large": {}})
    secrets: list[dict[str, Any]] = field(default_factory=list)
    wiring: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    minor: int = MINORS[-1]

    def all(self) -> Draft:
        self.values = dict(self.asked.values)
        fitting = self._step("Kubernetes versions", self._fitting)
        self._step("Secrets", self._secrets)
        self._step("Services", lambda: self._switch(probes.exposed, "ClusterIP"))
        self._step("telemetry", lambda: self._switch(probes.telemetry, _OFF))
        self._step("resources", self._resources)
        self._step("replicas", self._replicas)
        self._step("volumes", self._volumes)
        self._step("monitors", self._monitors)
        component = self._step("rules", lambda: self._component(fitting))
        self.reporter.finished(STAGE, f"{self.asked.name} for Kubernetes {fitting}")
        return Draft(component=component, remarks=tuple(self.remarks))

    def _step(self, name: str, work: Callable[[], Any]) -> Any:
        self.reporter.began(STAGE, name)
        found = work()
        self.reporter.advanced(STAGE, name)
        return found

    # What the chart comes to.

    def _objects(self, *more: Values, minor: int | None = None, apis: Sequence[str] = ()) -> tuple[Manifest, ...]:
        used = minor or self.minor
        layer = {
            "namespace": self.asked.namespace,
            "helm": dict(self.asked.helm),
            "values": merge.values(self.values, *more),
        }
        made = self.trials.made(self.asked.name, [Traced.of(layer, Traced({}, self.asked.name))], used, apis)
        return placed(made, self.asked.namespace, used)

    def _bodies(self, *more: Values) -> list[Body]:
        return [each.body for each in self._objects(*more)]

    def _tried(self, *more: Values, apis: Sequence[str] = ()) -> tuple[Manifest, ...] | None:
        """The same, or None where the chart does not take such values."""
        try:
            return self._objects(*more, apis=apis)
        except (ForgeError, ExceptionGroup):
            return None

    def _probed(self, numbered: probes.Numbered, *more: Values) -> tuple[Manifest, ...]:
        """What the chart comes to with a probe; of its values those are left out that the chart does not take."""
        values = [probes.nested(*each) for each in numbered.values()]
        found = self._tried(*more, *values)
        if found is None:
            found = self._tried(*more, *(each for each in values if self._tried(*more, each) is not None))
        return found or ()

    def _breaches(self, objects: Sequence[Manifest], rule: str, size: Size = Size.SMALL) -> list[rules.Breach]:
        return [each for each in rules.breaches(objects, size=size, level="privileged") if each.rule == rule]

    # The steps.

    def _fitting(self) -> str:
        """The versions of Kubernetes for which it renders, as a range."""
        every = [minor for minor in kubernetes_apis.minors() if minor >= MINORS[0]]

        def renders(minor: int) -> ForgeError | ExceptionGroup[Any] | None:
            try:
                self._objects(minor=minor)
            except (ForgeError, ExceptionGroup) as error:
                return error
            return None

        problems = dict(zip(every, self.workers.map(renders, every), strict=True))
        good = [minor for minor in every if problems[minor] is None]
        if not good:
            problem = problems[MINORS[-1]]
            raise_all(each for each in (leaves(problem) if problem else ()) if isinstance(each, ForgeError))
        last = first = good[-1]
        while first - 1 in good:
            first -= 1
        self.minor = max((minor for minor in MINORS if minor in good), default=last)
        return f"1.{first}+" if last == every[-1] else f"1.{first}-1.{last}"

    def _secrets(self) -> None:
        """Secrets that the chart would make with a password in them are taken by name, where it lets us."""
        for path in probes.existing_secrets(merge.values(self.defaults, self.values)):
            before = self._objects()
            if not self._breaches(before, "literal-secret"):
                break
            name = self._secret_name(path)
            after = self._tried(probes.nested(path, name))
            if after is None or len(self._breaches(after, "literal-secret")) >= len(
                self._breaches(before, "literal-secret")
            ):
                continue
            self.values = merge.values(self.values, probes.nested(path, name))
            keys = dict.fromkeys(_asked_keys(after, name) or _lost_keys(before, after), "what it is")
            self.secrets.append({"name": name, "keys": keys, "purpose": f"Taken by `{probes.shown(path)}`."})
        numbered = probes.numbered(
            probes.passwords(merge.values(self.defaults, self.values)), lambda number: f"probe-{number}"
        )
        written = probes.texts([each.body for each in self._probed(numbered)])
        for path in (path for path, value in numbered.values() if value in written):
            self.remarks.append(f"`{probes.shown(path)}` looks like a password; what stands there goes into Git")

    def _secret_name(self, path: Path) -> str:
        own = f"{self.asked.name}-credentials"
        if all(each["name"] != own for each in self.secrets):
            return own
        return f"{self.asked.name}-{'-'.join(path[:-1])}".lower().replace("_", "-")

    def _switch(self, candidates: Callable[[Any], list[Path]], value: Any) -> None:
        """Set each of the candidates that changes anything."""
        for path in candidates(merge.values(self.defaults, self.values)):
            tried = self._tried(probes.nested(path, value))
            if tried is not None and contents(tried) != contents(self._objects()):
                self.values = merge.values(self.values, probes.nested(path, value))

    def _resources(self) -> None:
        """Requests and a memory limit for every container that lacks them."""
        whole = merge.values(self.defaults, self.values)
        numbered = probes.numbered(
            probes.resources(whole), lambda number: {"limits": {"memory": f"{number}Mi"}, "requests": dict(_REQUESTS)}
        )
        objects = self._probed(numbered)
        reached = {number for number, _, _ in probes.limits([each.body for each in objects])}
        for number, (path, _) in numbered.items():
            if number in reached:
                missing = _missing_resources(_at(whole, path) or {})
                if missing:
                    self.values = merge.values(self.values, probes.nested(path, missing))

    def _replicas(self) -> None:
        """More than one of what serves traffic, with a budget for disruptions and a spread."""
        whole = merge.values(self.defaults, self.values)
        numbered = probes.numbered(probes.replicas(whole), lambda number: number)
        objects = self._probed(numbered)
        lone = {each.object for each in self._breaches(self._objects(), "replicas", Size.MEDIUM)}
        scaled: dict[Any, list[str]] = {}
        for each in objects:
            count = (each.body.get("spec") or {}).get("replicas")
            if each.id.kind in ("Deployment", "StatefulSet") and count in numbered:
                scaled.setdefault(count, []).append(f"{each.id.kind}/{each.id.name}")
        for number, names in scaled.items():
            path = numbered[number][0]
            if any(name.startswith("StatefulSet/") for name in names):
                self.remarks.append(
                    f"`{probes.shown(path)}` scales {', '.join(names)}: see whether it can be more than one"
                )
            elif lone.intersection(names):
                self._grow(path, _REPLICAS)
        if any(self.sizes.values()):
            self._spread()
            self._budget()

    def _grow(self, path: Path, by_size: Mapping[SizeName, Any]) -> None:
        for size, value in by_size.items():
            self.sizes[size] = merge.values(self.sizes[size], probes.nested(path, value))

    def _spread(self) -> None:
        numbered = probes.numbered(
            probes.spreads(merge.values(self.defaults, self.values)), lambda number: [_constraint(number)]
        )
        objects = self._probed(numbered, self.sizes["medium"])
        lacking = {each.object for each in self._breaches(self._medium(), "spread", Size.MEDIUM)}
        for each in objects:
            pod = rules.pod_of(each.body) or {}
            number = next((one.get("maxSkew") for one in pod.get("topologySpreadConstraints") or ()), 0)
            if number in numbered and f"{each.id.kind}/{each.id.name}" in lacking:
                constraint = [_constraint(1) | {"labelSelector": _selector(each.body)}]
                self._grow(numbered[number][0], dict.fromkeys(_REPLICAS, constraint))

    def _budget(self) -> None:
        for path in probes.budgets(merge.values(self.defaults, self.values)):
            before = self._breaches(self._medium(), "disruption-budget", Size.MEDIUM)
            tried = self._tried(self.sizes["medium"], _on(path)) if before else None
            if tried is not None and len(self._breaches(tried, "disruption-budget", Size.MEDIUM)) < len(before):
                self._grow(path, dict.fromkeys(_REPLICAS, _ON))
        lacking = {each.object for each in self._breaches(self._medium(), "disruption-budget", Size.MEDIUM)}
        made = [
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": each.id.name, "namespace": "${namespace}"},
                "spec": {"maxUnavailable": 1, "selector": _selector(each.body)},
            }
            for each in self._medium()
            if f"{each.id.kind}/{each.id.name}" in lacking
        ]
        if made:
            purpose = "One of it stays while a node is drained."
            self.wiring.append({"sizes": list(_REPLICAS), "purpose": purpose, "objects": made})

    def _medium(self) -> tuple[Manifest, ...]:
        return self._objects(self.sizes["medium"])

    def _volumes(self) -> None:
        sizes = probes.volumes(merge.values(self.defaults, self.values))
        numbered = probes.numbered(list(sizes), lambda number: f"{number}Gi")
        objects = self._probed(numbered)
        claimed = Counter(probes.claims([each.body for each in objects]))
        for path, text in numbered.values():
            if text in claimed:
                size = quantity.parse(sizes[path])
                self._grow(path, {name: quantity.size(size * times) for name, times in _GROWTH.items()})

    def _monitors(self) -> None:
        """What has Prometheus scrape it, as a wiring; of the switches those without which it does not come."""
        apis = (
            f"{_MONITORING}/v1",
            *(f"{_MONITORING}/v1/{kind}" for kind in ("ServiceMonitor", "PodMonitor", "PrometheusRule")),
        )
        switches = probes.monitors(merge.values(self.defaults, self.values))

        def monitored(paths: Sequence[Path]) -> int:
            objects = self._tried(*(_on(path) for path in paths), apis=apis) or ()
            return sum(each.id.group == _MONITORING for each in objects)

        most = monitored(switches)
        if not most or most <= monitored(()):
            return
        for path in list(switches):
            fewer = [each for each in switches if each != path]
            if monitored(fewer) == most or _is_said_twice(path, switches):
                most, switches = monitored(fewer), fewer
        values = merge.values(*(_on(path) for path in switches))
        self.wiring.append({"with": _MONITORING, "purpose": "Prometheus scrapes it.", "values": values})

    # What it comes to in the end.

    def _component(self, fitting: str) -> dict[str, Any]:
        objects = self._objects()
        asked, chart = self.asked, self.chart
        said = mapping(chart.get("annotations"))
        level = next((each for each in _LEVELS if not _above(objects, each)), "privileged")
        category = asked.category or _CATEGORIES.get(str(said.get("artifacthub.io/category")), "")
        if not category:
            self.remarks.append("`category`: the chart does not tell one; it stands under core")
        license_name = str(said.get("artifacthub.io/license") or said.get("licenses") or "")
        if not license_name:
            self.remarks.append("`license`: the chart does not tell it; look it up (SPDX)")
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
                chart.get("home")
                or next(iter(chart.get("sources") or ()), "")
                or asked.helm.get("repository")
                or "unknown"
            ),
            "license": license_name or "unknown",
            "namespace": asked.namespace,
            "podSecurity": level,
            "helm": helm,
            "versions": [{"version": str(chart.get("version", "")), "kubernetes": fitting}],
            "values": self.values,
            "sizes": {size: values for size, values in self.sizes.items() if values},
            "needs": list(self._needs(objects, groups)),
            "provides": {group: {} for group in groups},
            "secrets": self.secrets,
            "wiring": self.wiring,
        }
        self._remark(objects, level)
        return {key: value for key, value in component.items() if value}

    def _needs(self, objects: Sequence[Manifest], own: Sequence[str]) -> Iterator[str]:
        """Volumes, and the APIs of others that its objects are of."""
        if next(probes.claims([each.body for each in objects]), None):
            yield "storage-class"
        library = self.trials.companies.library
        served = {each.partition("/")[0] for each in kubernetes_apis.api_versions(self.minor) if "/" in each}
        for group in sorted({each.id.group for each in objects} - set(own) - served - {""}):
            if library.providers(group):
                yield group
            else:
                self.remarks.append(f"it makes objects of {group}, which no component of the catalog brings")

    def _remark(self, objects: Sequence[Manifest], level: str) -> None:
        """What is left to a person."""
        if level != _LEVELS[0]:
            why = Counter(each.message for each in _above(objects, _LEVELS[0]))
            self.remarks.append(f"Pod Security {level}, not {_LEVELS[0]}: {'; '.join(why)}")
        layer = {"namespace": self.asked.namespace, "helm": dict(self.asked.helm), "values": self.values}
        again = self.trials.made_anew(self.asked.name, [Traced.of(layer, Traced({}, self.asked.name))], self.minor)
        if contents(placed(again, self.asked.namespace, self.minor)) != contents(objects):
            self.remarks.append("it draws random values: each time it is rendered it comes to something else")
        images = sorted({image for each in objects for image in each.facts.images})
        self.remarks.append(f"images: {', '.join(images)}" if images else "it runs no image")


def _above(objects: Sequence[Manifest], level: str) -> list[rules.Breach]:
    found = rules.breaches(objects, size=Size.SMALL, level=level)
    return [each for each in found if each.rule == "pod-security"]


def _is_said_twice(path: Path, others: Sequence[Path]) -> bool:
    """Whether a PodMonitor is for what a ServiceMonitor is for."""
    return any(other != path and tuple(key.replace("service", "pod") for key in other) == path for other in others)


def _on(path: Path) -> Any:
    return probes.nested(path, _ON)


def _at(values: Any, path: Path) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _missing_resources(there: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be set besides: a limit is never below what is requested."""
    requests, limits = there.get("requests") or {}, there.get("limits") or {}
    wanted = {**_REQUESTS, **requests}
    if limits.get("memory"):
        wanted["memory"] = requests.get("memory") or limits["memory"]
    added: dict[str, Any] = {}
    if wanted != requests:
        added["requests"] = {key: value for key, value in wanted.items() if key not in requests}
    if not limits.get("memory"):
        asked = quantity.parse(wanted["memory"])
        added["limits"] = {"memory": quantity.size(max(asked * 2, quantity.parse(_LIMITS["memory"])))}
    return added


def _constraint(skew: int) -> dict[str, Any]:
    return {"maxSkew": skew, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}


def _selector(body: Body) -> dict[str, Any]:
    return {"matchLabels": dict((body["spec"].get("selector") or {}).get("matchLabels") or {})}


def _asked_keys(objects: Sequence[Manifest], secret: str) -> list[str]:
    """The keys of a Secret that pods read one by one."""

    def keys(value: Any) -> Iterator[str]:
        if isinstance(value, Mapping):
            reference = value.get("secretKeyRef")
            if isinstance(reference, Mapping) and reference.get("name") == secret and reference.get("key"):
                yield str(reference["key"])
            for member in value.values():
                yield from keys(member)
        elif isinstance(value, list):
            for item in value:
                yield from keys(item)

    return sorted({key for each in objects for key in keys(rules.pod_of(each.body) or {})})


def _lost_keys(before: Sequence[Manifest], after: Sequence[Manifest]) -> list[str]:
    """The keys of the Secrets that are no longer made."""
    there = {each.id for each in after}
    gone = [each.body for each in before if each.id.kind == "Secret" and each.id not in there]
    return sorted({key for body in gone for part in ("data", "stringData") for key in body.get(part) or ()})
