"""diff and status against a real API server: nothing differs after a deployment, and what was changed is named."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import program
from tests.e2e.cluster import Cluster

from cluster_forge.cli.app import run

pytestmark = pytest.mark.e2e


class Stack:
    """The starter, cast for direct delivery, and the command line on the cluster."""

    def __init__(self, folder: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.cluster = cluster
        self._capsys = capsys
        _, _, minor = program.kubernetes()
        self.run("init", "--yes", "--gitops", "none")
        description = folder / "input" / "config.yaml"
        version = f'kubernetes: "1.{min(minor, 35)}"'
        description.write_text(description.read_text().replace('kubernetes: "1.33"', version))
        self.run("forge", "--offline", "-q", "--store", str(folder / "store"))

    def run(self, *arguments: str, expected: int = 0) -> str:
        self._capsys.readouterr()
        code = run(["-C", str(self.folder), *arguments])
        captured = self._capsys.readouterr()
        assert code == expected, captured.out + captured.err
        return captured.out

    def ask(self, *arguments: str, expected: int = 0) -> Any:
        """The answer of a verb on the cluster, as JSON."""
        place = ("--kubeconfig", str(self.cluster.kubeconfig), "--format", "json")
        return json.loads(self.run(*arguments, *place, expected=expected))

    def components(self, expected: int = 0) -> dict[str, tuple[str, str, list[str]]]:
        answer = self.ask("status", expected=expected)
        return {one["name"]: (one["sync"], one["health"], one["messages"]) for one in answer["components"]}


@pytest.fixture
def starter(cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Stack:
    return Stack(tmp_path / "w", cluster, capsys)


def test_nothing_differs_after_deploy_sh_and_after_deploy(starter: Stack) -> None:
    before = starter.ask("diff", expected=1)
    assert {one["change"] for one in before["objects"]} == {"added"}
    assert {health for _, health, _ in starter.components(expected=1).values()} == {"Missing"}
    script = starter.folder / "stacks" / "starter" / "deploy.sh"
    place = f"--kubeconfig={starter.cluster.kubeconfig}"
    subprocess.run(["sh", script, "--yes", "--timeout", "300s", place], check=True, capture_output=True)
    assert starter.ask("diff")["objects"] == []
    assert set(map(str, starter.components().values())) == {str(("Synced", "Healthy", []))}
    starter.run("deploy", "--yes", "-q", "--kubeconfig", str(starter.cluster.kubeconfig))
    assert starter.ask("diff")["objects"] == []
    answer = starter.ask("status")
    assert (answer["healthy"], answer["release"]["version"]) == (True, answer["version"])
    assert {one["deployed"] == one["version"] for one in answer["components"]} == {True}


def test_what_others_change_is_named(starter: Stack) -> None:
    starter.run("deploy", "--yes", "-q", "--kubeconfig", str(starter.cluster.kubeconfig))
    kubectl = starter.cluster.kubectl
    kubectl("-n", "demo", "scale", "deployment/sample-web", "--replicas=3")
    kubectl("-n", "demo", "annotate", "deployment/sample-web", "note=mine")
    kubectl("-n", "demo", "delete", "configmap/sample-web")
    answer = starter.ask("diff", expected=1)
    assert [
        (one["object"], one["change"], [field["path"] for field in one["fields"]]) for one in answer["objects"]
    ] == [
        ("ConfigMap/demo/sample-web", "added", []),
        ("Deployment.apps/demo/sample-web", "changed", ["spec.replicas"]),
    ]
    found = starter.components(expected=1)
    sync, health, messages = found.pop("sample-web")
    assert (sync, health) == ("OutOfSync", "Missing")
    assert messages[0] == "ConfigMap/demo/sample-web is not there"
    assert messages[-1] == "Deployment.apps/demo/sample-web: kubectl has set spec.replicas"
    assert set(map(str, found.values())) == {str(("Synced", "Healthy", []))}
    kubectl("-n", "demo", "scale", "deployment/sample-web", "--replicas=2")
    assert [one["object"] for one in starter.ask("diff", expected=1)["objects"]] == ["ConfigMap/demo/sample-web"]
