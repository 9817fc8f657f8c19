"""Pairs of versions of the charts in ``../shared/mirror``: an old one, and the one that takes its place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SHARED = Path(os.environ.get("CLUSTER_FORGE_SHARED") or Path(__file__).resolve().parents[3] / "shared").resolve()
TYPICAL = frozenset({"external-secrets", "openbao"})
"""One for each thing that server-side apply alone stops at: a webhook half left in a CRD, a StatefulSet that cannot change."""
BESIDE: Mapping[str, Sequence[str]] = {
    "tenant": ("operator",),
    "opentelemetry-operator": ("cert-manager",),
    "kserve-crd": ("cert-manager",),
    "gpu-operator-charts": ("cert-manager",),
}
"""Charts that bring what another one needs, in the newest version of the mirror both times."""
VALUES: Mapping[str, Mapping[str, Any]] = {
    "cert-manager": {"installCRDs": True},
    "prometheus": {"prometheus-node-exporter": {"enabled": False}},
    "longhorn": {"preUpgradeChecker": {"jobEnabled": False}},
    "gitea": {"persistence": {"enabled": True}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart of the mirror in one version."""

    repository: str
    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two versions of a chart, and what it needs beside it."""

    old: Chart
    new: Chart
    beside: tuple[Chart, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.old.name}-{self.old.version}-{self.new.version}"

    @property
    def is_typical(self) -> bool:
        return self.old.name in TYPICAL

    def description(self, chart: Chart, **gitops: object) -> str:
        """A stack with the chart in one of the versions, delivered without an engine unless ``gitops`` names one."""
        return yaml.safe_dump(
            {
                "apiVersion": "cluster-forge/v1",
                "kind": "Stack",
                "name": "upgraded",
                "target": {"kubernetes": "1.35", "size": "small"},
                "gitops": {"engine": "none", **gitops},
                "components": [_component(one) for one in (*self.beside, chart)],
            },
            sort_keys=False,
        )


def pairs() -> Iterator[Pair]:
    """The lowest and the highest version of every chart that the mirror has in several; none without the mirror."""
    index = SHARED / "mirror" / "index.yaml"
    charts: dict[tuple[str, str], list[Chart]] = {}
    for entry in yaml.safe_load(index.read_text())["charts"] if index.exists() else ():
        chart = Chart(repository=entry["repository"], name=entry["name"], version=entry["version"])
        charts.setdefault((chart.repository, chart.name), []).append(chart)
    ordered = {key: sorted(known, key=_place) for key, known in charts.items()}
    newest = {name: known[-1] for (_, name), known in ordered.items()}
    for (_, name), known in sorted(ordered.items()):
        if len(known) > 1:
            beside = tuple(newest[other] for other in BESIDE.get(name, ()))
            yield Pair(old=known[0], new=known[-1], beside=beside)


def _place(chart: Chart) -> tuple[int, ...]:
    """Where a version is among the others of its chart: none of them is a prerelease."""
    return tuple(map(int, re.findall(r"\d+", chart.version)))


def _component(chart: Chart) -> dict[str, Any]:
    return {
        "name": chart.name,
        "namespace": chart.name,
        "helm": {"repository": chart.repository, "chart": chart.name, "version": chart.version},
        "values": dict(VALUES.get(chart.name, {})),
    }
