"""A search for values of a chart that are worth writing into a component's file.

Each step renders the chart with the values found so far and a probe (`catalog.value_probes`), and keeps what changed the
objects. `secret_search` and `replica_search` are larger steps.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cluster_forge.catalog import value_paths, value_probes
from cluster_forge.catalog.component_format import SizeName
from cluster_forge.catalog.trial_plan import MINORS
from cluster_forge.catalog.value_paths import Path
from cluster_forge.checks import registry
from cluster_forge.foundation import quantity
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack import merge
from cluster_forge.stack.component import Values
from cluster_forge.stack.model import Size
from cluster_forge.stages.catalog.trial_renderer import (
    TrialRenderer,
    content_digest,
    differing,
    in_namespace,
)
from cluster_forge.yaml.positioned import Positioned

_MONITORING: Final = "monitoring.coreos.com"
_REQUESTS: Final = {"cpu": "50m", "memory": "128Mi"}
_LIMITS: Final = {"memory": "256Mi"}
_GROWTH: Final[Mapping[SizeName, int]] = {"medium": 2, "large": 5}
"""How much larger than at size small volumes are."""

_ON: Final = True


@dataclass
class ValueSearch:
    """A chart (``helm`` as in a description) with its default values, and what was found so far.

    ``minor`` is the Kubernetes version that it is rendered for; ``values`` start with those that the chart requires;
    ``remarks`` are for a person.
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
    def all_values(self) -> dict[str, Any]:
        """The chart's own values, with those found merged over them."""
        return merge.values(self.defaults, self.values)

    def objects(self, *more: Values, minor: int | None = None, apis: Sequence[str] = ()) -> tuple[Manifest, ...]:
        """The objects of the chart with the values found so far and more.

        Raises:
            RenderError, ManifestError, ExceptionGroup: if the chart does not accept them.
        """
        used = minor or self.minor
        return in_namespace(self.trials.rendered(self.name, self._layers(*more), used, apis), self.namespace, used)

    def _layers(self, *more: Values) -> list[Positioned]:
        layer = {"namespace": self.namespace, "helm": dict(self.helm), "values": merge.values(self.values, *more)}
        return [Positioned.of(layer, Positioned({}, self.name))]

    @cached_property
    def random(self) -> frozenset[ObjectId]:
        """The objects that differ each time they are rendered."""
        again = self.trials.rendered_again(self.name, self._layers(), self.minor)
        return differing(self.objects(), in_namespace(again, self.namespace, self.minor))

    def tried(self, *more: Values, apis: Sequence[str] = ()) -> tuple[Manifest, ...] | None:
        """The same as `objects`, or None if the chart does not accept the values."""
        try:
            return self.objects(*more, apis=apis)
        except (ForgeError, ExceptionGroup):
            return None

    def probed(self, numbered: value_probes.Numbered, *more: Values) -> tuple[Manifest, ...]:
        """The objects of the chart with a probe, without those of its values that the chart does not accept."""
        values = [value_paths.nested(*probe) for probe in numbered.values()]
        return self.tried(*more, *self._accepted(values, more)) or ()

    def _accepted(self, values: Sequence[Values], more: Sequence[Values]) -> list[Values]:
        """The values that the chart accepts, found by halving."""
        if not values or self.tried(*more, *values) is not None:
            return list(values)
        half = len(values) // 2
        return [*self._accepted(values[:half], more), *self._accepted(values[half:], more)] if half else []

    def findings(self, objects: Sequence[Manifest], code: str, size: Size = Size.SMALL) -> list[Finding]:
        """The findings of one code about objects."""
        every = registry.check_component(objects, size=size, level="privileged")
        return [finding for finding in every if finding.code == code]

    def keep(self, path: Path, value: Any) -> None:
        """Take a value into the component."""
        self.values = merge.values(self.values, value_paths.nested(path, value))

    def keep_for_sizes(self, path: Path, by_size: Mapping[SizeName, Any]) -> None:
        """Take a value for each of several sizes, if the chart accepts all of them; otherwise remark on it."""
        grown = {
            size: merge.values(self.sizes[size], value_paths.nested(path, value)) for size, value in by_size.items()
        }
        if any(self.tried(values) is None for values in grown.values()):
            tried = " and ".join(f"{value} at {size}" for size, value in by_size.items() if not isinstance(value, list))
            self.remarks.append(f"`{value_paths.dotted(path)}`: the chart does not accept {tried or 'a spread'}")
        else:
            self.sizes.update({str(size): values for size, values in grown.items()})

    def switch(self, candidates: Callable[[Any], list[Path]], value: Any) -> None:
        """Set each of the candidates that changes anything."""
        for path in candidates(self.all_values):
            tried = self.tried(value_paths.nested(path, value))
            if tried is not None and content_digest(tried, self.random) != content_digest(self.objects(), self.random):
                self.keep(path, value)

    def set_resources(self) -> None:
        """Find requests and a memory limit for every container without them."""
        values = self.all_values
        numbered = value_probes.numbered(
            value_probes.resources(values),
            lambda number: {"limits": {"memory": f"{number}Mi"}, "requests": dict(_REQUESTS)},
        )
        bodies = [manifest.body for manifest in self.probed(numbered)]
        reached = {number for number, _, _ in value_probes.limits(bodies)}
        for number, (path, _) in numbered.items():
            missing = _missing_resources(value_paths.at(values, path) or {}) if number in reached else {}
            if missing:
                self.keep(path, missing)

    def size_volumes(self) -> None:
        """Find larger volumes for medium and large."""
        sizes = value_probes.volumes(self.all_values)
        numbered = value_probes.numbered(list(sizes), lambda number: f"{number}Gi")
        claimed = Counter(value_probes.claims([manifest.body for manifest in self.probed(numbered)]))
        for path, text in numbered.values():
            if text in claimed:
                size = quantity.parse(sizes[path])
                self.keep_for_sizes(path, {name: quantity.size(size * times) for name, times in _GROWTH.items()})

    def monitor(self) -> None:
        """Find the switches of ServiceMonitors and their like, for a wiring; only those that are required."""
        apis = (
            f"{_MONITORING}/v1",
            *(f"{_MONITORING}/v1/{kind}" for kind in ("ServiceMonitor", "PodMonitor", "PrometheusRule")),
        )
        switches = value_probes.monitors(self.all_values)

        def monitored(paths: Sequence[Path]) -> int:
            objects = self.tried(*(value_paths.nested(path, _ON) for path in paths), apis=apis) or ()
            return sum(manifest.id.group == _MONITORING for manifest in objects)

        most = monitored(switches)
        if not most or most <= monitored(()):
            return
        for path in list(switches):
            fewer = [other for other in switches if other != path]
            if monitored(fewer) == most or _is_duplicate_monitor(path, switches):
                most, switches = monitored(fewer), fewer
        values = merge.values(*(value_paths.nested(path, _ON) for path in switches))
        self.wiring.append({"with": _MONITORING, "purpose": "Prometheus scrapes it.", "values": values})


def _is_duplicate_monitor(path: Path, others: Sequence[Path]) -> bool:
    """Whether a PodMonitor is for the same as a ServiceMonitor."""
    return any(other != path and tuple(key.replace("service", "pod") for key in other) == path for other in others)


def _missing_resources(present: Mapping[str, Any]) -> dict[str, Any]:
    """The requests and limits to add; a limit is never below the request."""
    requests, limits = _quantities(present.get("requests")), _quantities(present.get("limits"))
    wanted = {**_REQUESTS, **requests}
    if limits.get("memory"):
        wanted["memory"] = requests.get("memory") or limits["memory"]
    added: dict[str, Any] = {}
    if wanted != requests:
        added["requests"] = {key: value for key, value in wanted.items() if key not in requests}
    if not limits.get("memory"):
        requested = quantity.parse(wanted["memory"])
        added["limits"] = {"memory": quantity.size(max(requested * 2, quantity.parse(_LIMITS["memory"])))}
    return added


def _quantities(value: Any) -> dict[str, Any]:
    """The members that are valid quantities."""
    valid = {}
    for key, member in mapping(value).items():
        with contextlib.suppress(ValueError):
            quantity.parse(member)
            valid[key] = member
    return valid
