"""A small stack for several clusters: a Deployment everywhere, and a ConfigMap in production."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e import program
from tests.e2e.cluster import Cluster

from cluster_forge.cli.app import run

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {e2e.cluster-forge/fate: ready}}
    spec: {containers: [{name: web, image: "registry.example.com/web:1.0.0"}]}
"""
EXTRAS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extras}\ndata: {key: value}\n"
EXTRAS_PATH = "/api/v1/namespaces/shop/configmaps/extras"
WEB_PATH = "/apis/apps/v1/namespaces/shop/deployments/web"


@dataclass(slots=True, kw_only=True)
class Fleet:
    """A workspace with the stack's ``description``, and the clusters by their names."""

    workspace: Path
    clusters: dict[str, Cluster]
    description: dict[str, Any]
    capsys: pytest.CaptureFixture[str]

    def forge(self, web: str = WEB) -> None:
        """Forge for both environments."""
        (self.workspace / "input").mkdir(parents=True, exist_ok=True)
        files = {"config.yaml": yaml.safe_dump(self.description), "web.yaml": web, "extras.yaml": EXTRAS}
        for path, text in files.items():
            (self.workspace / "input" / path).write_text(text)
        for environment in ((), ("--environment", "production")):
            self.ask("forge", *environment, "--store", str(self.workspace.parent / "store"))

    def forge_and_push(self, web: str = WEB) -> None:
        """Forge, and push a folder for each cluster to the stack's Git repository."""
        self.forge(web)
        self.ask("push", "--git", "--all")

    def ask(self, *arguments: str, expected: int = 0) -> str:
        """What a verb prints on stdout."""
        self.capsys.readouterr()
        code = run(["-C", str(self.workspace), *arguments, "--format", "json"])
        captured = self.capsys.readouterr()
        assert code == expected, captured.out + captured.err
        return captured.out

    def has(self, cluster: str, path: str) -> bool:
        return self.clusters[cluster].get(path) is not None

    def image(self, cluster: str) -> str:
        return str(self.clusters[cluster].get(WEB_PATH)["spec"]["template"]["spec"]["containers"][0]["image"])


def description(text: str, clusters: Mapping[str, Cluster] | None = None) -> dict[str, Any]:
    """The description, for the version of the test clusters, with an entry for each of ``clusters``: all but staging are production."""
    read: dict[str, Any] = yaml.safe_load(text.replace("VERSION", "1.{2}".format(*program.kubernetes())))
    if clusters is not None:
        read["clusters"] = [
            {"name": name, "kubeconfig": str(cluster.kubeconfig)}
            | ({} if name == "staging" else {"environment": "production"})
            for name, cluster in clusters.items()
        ]
    return read
