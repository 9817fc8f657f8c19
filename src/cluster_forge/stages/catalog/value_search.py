"""A chart whose values are tried, one kind after the other, and what of them is worth writing into a component's file.

Each step renders the chart with what is known so far and something to be tried (`catalog.probes`), and keeps what showed in
the objects.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cluster_forge.catalog import value_probes
from cluster_forge.catalog.component_format import SizeName
from cluster_forge.catalog.trial_plan import MINORS
from cluster_forge.catalog.value_probes import Path
from cluster_forge.checks import production
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.manifests import quantity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.manifests.pods import pod_of
from cluster_forge.stack import merge
from cluster_forge.stack.model import Size, Values
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer, contents, differing, mapping, placed
from cluster_forge.yaml.positioned import Positioned

_MONITORING: Final = "monitoring.coreos.com"
_REQUESTS: Final = {"cpu": "50m", "memory": "128Mi"}
_LIMITS: Final = {"memory": "256Mi"}
_REPLICAS: Final[Mapping[SizeName, int]] = {"medium": 2, "large": 3}
_GROWTH: Final[Mapping[SizeName, int]] = {"medium": 2, "large": 5}
"""How much larger than at size small volumes are."""

_ON: Final = True
_LONGEST_NAME: Final = 63


@dataclass
class Probing:
    """A chart (``helm`` as a description has it) with its default values, and what was found of it so far.

    ``minor`` is the version of Kubernetes that it is rendered for; ``values`` begin as those without which it does not
    render; ``remarks`` are for a person.
    """

    name: str
    helm: Mapping[str, str]
    namespace: str
    defaults: Mapping[str, Any]
    trials: TrialRenderer
    minor: int = MINORS[-1]
    values: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, dict[str, Any]] = field(default_factory=lambda: {"medium": {}, "large": {}})
    secrets: list[dict[str, Any]] = field(default_factory=list)
    wiring: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def whole(self) -> dict[str, Any]:
        """All values: the chart's own, and those that were found."""
        return merge.values(self.defaults, self.values)

    def objects(
        self, *more: Values, minor: int | None = None, apis: Sequence[str] = (), anew: bool = False
    ) -> tuple[Manifest, ...]:
        """What it comes to with the values so far and more.

        Raises:
            RenderError, ManifestError, ExceptionGroup: if it does not take them.
        """
        used, values = minor or self.minor, merge.values(self.values, *more)
        layer = {"namespace": self.namespace, "helm": dict(self.helm), "values": values}
        make = self.trials.made_anew if anew else self.trials.made
        return placed(
            make(self.name, [Positioned.of(layer, Positioned({}, self.name))], used, apis), self.namespace, used
        )

    @cached_property
    def drawn(self) -> frozenset[ObjectId]:
        """The objects that come out otherwise each time."""
        return differing(self.objects(), self.objects(anew=True))

    def tried(self, *more: Values, apis: Sequence[str] = ()) -> tuple[Manifest, ...] | None:
        """The same, or None where the chart does not take such values."""
        try:
            return self.objects(*more, apis=apis)
        except (ForgeError, ExceptionGroup):
            return None

    def _probed(self, numbered: value_probes.Numbered, *more: Values) -> tuple[Manifest, ...]:
        """What the chart comes to with a probe; of its values those are left out that the chart does not take."""
        values = [value_probes.nested(*each) for each in numbered.values()]
        return self.tried(*more, *self._accepted(values, more)) or ()

    def _accepted(self, values: Sequence[Values], more: Sequence[Values]) -> list[Values]:
        """Those that the chart takes: halves of what it does not take are tried, down to single values."""
        if not values or self.tried(*more, *values) is not None:
            return list(values)
        half = len(values) // 2
        return [*self._accepted(values[:half], more), *self._accepted(values[half:], more)] if half else []

    def _breaches(self, objects: Sequence[Manifest], rule: str, size: Size = Size.SMALL) -> list[production.Breach]:
        return [each for each in production.breaches(objects, size=size, level="privileged") if each.rule == rule]

    def name_secrets(self) -> None:
        """Secrets that the chart would make with a password in them are taken by name, where it lets us."""
        for path in value_probes.existing_secrets(self.whole):
            before = self.objects()
            if not self._breaches(before, "literal-secret"):
                break
            name = self._secret_name(path)
            after = self.tried(value_probes.nested(path, name))
            if after is None or len(self._breaches(after, "literal-secret")) >= len(
                self._breaches(before, "literal-secret")
            ):
                continue
            self.values = merge.values(self.values, value_probes.nested(path, name))
            keys = dict.fromkeys(_asked_keys(after, name) or _lost_keys(before, after), "what it is")
            self.secrets.append({"name": name, "keys": keys, "purpose": f"Taken by `{value_probes.shown(path)}`."})
        numbered = value_probes.numbered(value_probes.passwords(self.whole), lambda number: f"probe-{number}")
        written = value_probes.texts([each.body for each in self._probed(numbered)])
        for path in (path for path, value in numbered.values() if value in written):
            self.remarks.append(f"`{value_probes.shown(path)}` looks like a password; what stands there goes into Git")

    def _secret_name(self, path: Path) -> str:
        own = f"{self.name}-credentials"
        if all(each["name"] != own for each in self.secrets):
            return own
        words = re.sub(r"[^a-z0-9]+", "-", "-".join(path).lower()).strip("-")
        return f"{self.name}-{words}"[:_LONGEST_NAME].rstrip("-")

    def switch(self, candidates: Callable[[Any], list[Path]], value: Any) -> None:
        """Set each of the candidates that changes anything."""
        for path in candidates(self.whole):
            tried = self.tried(value_probes.nested(path, value))
            if tried is not None and contents(tried, self.drawn) != contents(self.objects(), self.drawn):
                self.values = merge.values(self.values, value_probes.nested(path, value))

    def bound(self) -> None:
        """Requests and a memory limit for every container that lacks them."""
        whole = self.whole
        numbered = value_probes.numbered(
            value_probes.resources(whole),
            lambda number: {"limits": {"memory": f"{number}Mi"}, "requests": dict(_REQUESTS)},
        )
        objects = self._probed(numbered)
        reached = {number for number, _, _ in value_probes.limits([each.body for each in objects])}
        for number, (path, _) in numbered.items():
            if number in reached:
                missing = _missing_resources(_at(whole, path) or {})
                if missing:
                    self.values = merge.values(self.values, value_probes.nested(path, missing))

    def scale(self) -> None:
        """More than one of what serves traffic, with a budget for disruptions and a spread."""
        whole = self.whole
        numbered = value_probes.numbered(value_probes.replicas(whole), lambda number: number)
        objects = self._probed(numbered)
        lone = {each.object for each in self._breaches(self.objects(), "replicas", Size.MEDIUM)}
        scaled: dict[Any, list[str]] = {}
        for each in objects:
            count = mapping(each.body.get("spec")).get("replicas")
            if each.id.kind in ("Deployment", "StatefulSet") and count in numbered:
                scaled.setdefault(count, []).append(f"{each.id.kind}/{each.id.name}")
        for number, names in scaled.items():
            path = numbered[number][0]
            if any(name.startswith("StatefulSet/") for name in names):
                self.remarks.append(
                    f"`{value_probes.shown(path)}` scales {', '.join(names)}: see whether it can be more than one"
                )
            elif lone.intersection(names):
                self._grow(path, _REPLICAS)
        if any(self.sizes.values()):
            self._spread()
            self._budget()

    def _grow(self, path: Path, by_size: Mapping[SizeName, Any]) -> None:
        """Set a value for sizes, if the chart takes it at all of them."""
        grown = {
            size: merge.values(self.sizes[size], value_probes.nested(path, value)) for size, value in by_size.items()
        }
        if any(self.tried(values) is None for values in grown.values()):
            said = " and ".join(f"{value} at {size}" for size, value in by_size.items() if not isinstance(value, list))
            self.remarks.append(f"`{value_probes.shown(path)}`: the chart does not take {said or 'a spread'}")
        else:
            self.sizes.update({str(size): values for size, values in grown.items()})

    def _spread(self) -> None:
        numbered = value_probes.numbered(value_probes.spreads(self.whole), lambda number: [_constraint(number)])
        objects = self._probed(numbered, self.sizes["medium"])
        lacking = {each.object for each in self._breaches(self.medium(), "spread", Size.MEDIUM)}
        for each in objects:
            pod = pod_of(each.body) or {}
            number = next((one.get("maxSkew") for one in pod.get("topologySpreadConstraints") or ()), 0)
            if number in numbered and f"{each.id.kind}/{each.id.name}" in lacking:
                constraint = [_constraint(1) | {"labelSelector": _selector(each.body)}]
                self._grow(numbered[number][0], dict.fromkeys(_REPLICAS, constraint))

    def _budget(self) -> None:
        for path in value_probes.budgets(self.whole):
            before = self._breaches(self.medium(), "disruption-budget", Size.MEDIUM)
            tried = self.tried(self.sizes["medium"], _on(path)) if before else None
            if tried is not None and len(self._breaches(tried, "disruption-budget", Size.MEDIUM)) < len(before):
                self._grow(path, dict.fromkeys(_REPLICAS, _ON))
        lacking = {each.object for each in self._breaches(self.medium(), "disruption-budget", Size.MEDIUM)}
        made = [
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": each.id.name, "namespace": "${namespace}"},
                "spec": {"maxUnavailable": 1, "selector": _selector(each.body)},
            }
            for each in self.medium()
            if f"{each.id.kind}/{each.id.name}" in lacking
        ]
        if made:
            purpose = "One of it stays while a node is drained."
            self.wiring.append({"sizes": list(_REPLICAS), "purpose": purpose, "objects": made})

    def medium(self) -> tuple[Manifest, ...]:
        return self.objects(self.sizes["medium"])

    def size_volumes(self) -> None:
        sizes = value_probes.volumes(self.whole)
        numbered = value_probes.numbered(list(sizes), lambda number: f"{number}Gi")
        objects = self._probed(numbered)
        claimed = Counter(value_probes.claims([each.body for each in objects]))
        for path, text in numbered.values():
            if text in claimed:
                size = quantity.parse(sizes[path])
                self._grow(path, {name: quantity.size(size * times) for name, times in _GROWTH.items()})

    def monitor(self) -> None:
        """What has Prometheus scrape it, as a wiring; of the switches those without which it does not come."""
        apis = (
            f"{_MONITORING}/v1",
            *(f"{_MONITORING}/v1/{kind}" for kind in ("ServiceMonitor", "PodMonitor", "PrometheusRule")),
        )
        switches = value_probes.monitors(self.whole)

        def monitored(paths: Sequence[Path]) -> int:
            objects = self.tried(*(_on(path) for path in paths), apis=apis) or ()
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


def _is_said_twice(path: Path, others: Sequence[Path]) -> bool:
    """Whether a PodMonitor is for what a ServiceMonitor is for."""
    return any(other != path and tuple(key.replace("service", "pod") for key in other) == path for other in others)


def _on(path: Path) -> Any:
    return value_probes.nested(path, _ON)


def _at(values: Any, path: Path) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def _missing_resources(there: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be set besides: a limit is never below what is requested."""
    requests, limits = _quantities(there.get("requests")), _quantities(there.get("limits"))
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


def _quantities(value: Any) -> dict[str, Any]:
    """The members that are quantities; what is none counts as not said."""
    found = {}
    for key, member in mapping(value).items():
        with contextlib.suppress(ValueError):
            quantity.parse(member)
            found[key] = member
    return found


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

    return sorted({key for each in objects for key in keys(pod_of(each.body) or {})})


def _lost_keys(before: Sequence[Manifest], after: Sequence[Manifest]) -> list[str]:
    """The keys of the Secrets that are no longer made."""
    there = {each.id for each in after}
    gone = [each.body for each in before if each.id.kind == "Secret" and each.id not in there]
    return sorted({key for body in gone for part in ("data", "stringData") for key in body.get(part) or ()})
