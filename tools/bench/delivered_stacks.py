"""The stacks that are delivered to test clusters: descriptions with what delivers them (``gitops``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tools.bench import synthetic
from tools.bench.cases import PROGRAM, SHARED
from tools.bench.measure import run

SOURCE = SHARED / "stacks" / "everything" / "input" / "config.yaml"
_KUBERNETES = "1.35"
"""A minor version at most from that of the test cluster."""
_SECOND = ("prometheus", {"prometheus-node-exporter": {"enabled": False}})
"""Its node exporter wants the port of another component's on every node."""

GitOps = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredStack:
    """A stack for a cluster of that many nodes. ``write`` makes its workspace; ``options`` are for `deploy`."""

    name: str
    nodes: int
    write: Callable[[Path, GitOps], None]
    options: tuple[str, ...] = ()


def _starter(workspace: Path, gitops: GitOps) -> None:
    run([PROGRAM, "-C", workspace, "init", "--yes", "--quiet", "--gitops", "none"])
    file = workspace / "input" / "config.yaml"
    description = yaml.safe_load(file.read_text(encoding="utf-8"))
    description["target"]["kubernetes"] = _KUBERNETES
    _describe(workspace, {**description, "gitops": gitops})


def _platform(workspace: Path, gitops: GitOps) -> None:
    target = {"kubernetes": _KUBERNETES, "size": "small", "domain": "example.com"}
    head = {"apiVersion": "cluster-forge/v1", "kind": "Stack", "name": "platform", "target": target}
    _describe(workspace, {**head, "gitops": gitops, "components": ["platform"]})


def _everything(workspace: Path, gitops: GitOps) -> None:
    description = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    description["target"]["kubernetes"] = _KUBERNETES
    name, values = _SECOND
    component = next(component for component in description["components"] if component["name"] == name)
    component["values"] = {**component.get("values", {}), **values}
    _describe(workspace, {**description, "gitops": gitops})


def _many(workspace: Path, gitops: GitOps) -> None:
    synthetic.write_applied(workspace / "input", components=50, objects=3000, kubernetes=_KUBERNETES, gitops=gitops)


def _describe(workspace: Path, description: Mapping[str, Any]) -> None:
    (workspace / "input").mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(dict(description), sort_keys=False)
    (workspace / "input" / "config.yaml").write_text(text, encoding="utf-8")


STACKS = (
    DeliveredStack(name="starter", nodes=3, write=_starter),
    DeliveredStack(name="platform", nodes=20, write=_platform, options=("--allow-missing-secrets",)),
    DeliveredStack(name="everything", nodes=20, write=_everything),
    DeliveredStack(name="3,000", nodes=100, write=_many),
)
