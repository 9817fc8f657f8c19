"""Two versions of each chart of ../shared/mirror that has several, rendered as in stacks/everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import yaml

from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import RenderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.foundation.versions import newest_first
from cluster_forge.manifests import batch, kubernetes_apis
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.rendering import RenderJob, RenderRequest
from cluster_forge.stack.model import KubernetesVersion
from cluster_forge.stages.catalog.trial_renderer import in_namespace

MINOR: Final = 33
Bodies = Mapping[ObjectId, bytes]
"""Objects as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """A chart in two versions, the older one first."""

    chart: str
    versions: tuple[str, str]
    files: tuple[Path, Path]

    def __str__(self) -> str:
        return f"{self.chart} {' → '.join(self.versions)}"


def upgrades(mirror: Path) -> tuple[Upgrade, ...]:
    """The pairs of neighbouring versions of all charts that the mirror has in several."""
    index = yaml.load((mirror / "index.yaml").read_bytes(), yaml.CSafeLoader)
    charts: dict[str, list[tuple[str, Path]]] = {}
    for chart in index["charts"]:
        charts.setdefault(chart["name"], []).append((str(chart["version"]), mirror / chart["file"]))
    found = []
    for name, versions in sorted(charts.items()):
        order = newest_first([version for version, _ in versions])
        versions.sort(key=lambda pair: -order.index(pair[0]))
        for (old, old_file), (new, new_file) in pairwise(versions):
            found.append(Upgrade(chart=name, versions=(old, new), files=(old_file, new_file)))
    return tuple(found)


class Renderings:
    """The objects of charts, each rendered once."""

    def __init__(self, shared: Path) -> None:
        described = yaml.load((shared / "stacks/everything/input/config.yaml").read_bytes(), yaml.CSafeLoader)
        components = [component for component in described["components"] if "helm" in component]
        self._values = {component["helm"]["chart"]: component.get("values", {}) for component in components}
        self._renderer = InProcessRenderer(HelmSdk(), FastYaml(GoYaml(PurePythonYaml())))

    def both(self, upgrade: Upgrade) -> tuple[Bodies, Bodies]:
        """The objects of both versions in their namespaces, with the values of stacks/everything if both take them."""
        older, newer = upgrade.files
        values = self._values.get(upgrade.chart, {})
        try:
            return self._render(upgrade.chart, older, values), self._render(upgrade.chart, newer, values)
        except RenderError:  # the older version has other values
            return self._render(upgrade.chart, older, {}), self._render(upgrade.chart, newer, {})

    def _render(self, chart: str, file: Path, values: dict[str, Any]) -> Bodies:
        name = ComponentName(chart)
        request = RenderRequest(
            chart=file.read_bytes(),
            values=values,
            release=chart,
            namespace=chart,
            kubernetes=KubernetesVersion(1, MINOR),
            api_versions=kubernetes_apis.api_versions(MINOR),
            skip_schema=True,
        )
        manifests = batch.unpack(self._renderer.render(RenderJob(component=name, chart=request)).content, name)
        return {manifest.id: manifest.document.json for manifest in in_namespace(manifests, chart, MINOR)}
