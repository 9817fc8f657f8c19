"""One stack on three clusters side by side: a rollout with deploy, one that stops, status and diff in one table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e import program
from tests.e2e.cluster import Cluster, side_by_side

from cluster_forge.cli.app import run

pytestmark = pytest.mark.e2e

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: shop
target: {kubernetes: "VERSION"}
gitops: {engine: none}
components: [{name: web, namespace: shop, manifests: [web.yaml]}]
environments:
  production: {components: [{name: extras, namespace: shop, manifests: [extras.yaml]}]}
clusters: []
rollout: {order: [staging, production], maxUnavailable: 2}
"""
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example.com/web:1.0.0"}]}
"""
EXTRAS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extras}\ndata: {key: value}\n"


@pytest.fixture(scope="module")
def clusters(control_plane_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Cluster]]:
    with side_by_side(tmp_path_factory.mktemp, "staging", "eu", "us") as clusters:
        yield clusters


def test_a_rollout_goes_from_staging_to_production_and_stops_at_a_cluster_that_fails(
    clusters: dict[str, Cluster], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    description = yaml.safe_load(DESCRIPTION.replace("VERSION", "1.{2}".format(*program.kubernetes())))
    description["clusters"] = [
        {
            "name": name,
            "kubeconfig": str(cluster.kubeconfig),
            **({} if name == "staging" else {"environment": "production"}),
        }
        for name, cluster in clusters.items()
    ]
    files = {"config.yaml": yaml.safe_dump(description), "web.yaml": WEB, "extras.yaml": EXTRAS}
    (tmp_path / "w" / "input").mkdir(parents=True)
    for path, text in files.items():
        (tmp_path / "w" / "input" / path).write_text(text)

    def ask(*arguments: str, expected: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        code = run(["-C", str(tmp_path / "w"), *arguments, "--quiet", "--format", "json"])
        captured = capsys.readouterr()
        assert code == expected, captured.out + captured.err
        answer: dict[str, Any] = json.loads(captured.out)
        return answer

    for environment in ((), ("--environment", "production")):
        ask("forge", *environment, "--store", str(tmp_path / "store"))
    with clusters["eu"].without_api_server():
        stopped = ask("deploy", "--all", "--yes", expected=52)
        assert [(one["name"], one["verdict"]) for one in stopped["clusters"]] == [
            ("staging", "done"),
            ("eu", "failed"),
            ("us", "done"),
        ]
        seen = ask("status", "--all", expected=1)
        assert [bool(one["errors"]) for one in seen["clusters"]] == [False, True, False]
    deployed = ask("deploy", "--all", "--yes")
    assert {one["verdict"] for one in deployed["clusters"]} == {"done"}
    assert all(one["healthy"] for one in ask("status", "--all")["clusters"])
    assert all(not one["objects"] for one in ask("diff", "--all")["clusters"])
    assert "extras" not in clusters["staging"].kubectl("get", "configmaps", "-n", "shop", "-o", "name")
    assert "extras" in clusters["us"].kubectl("get", "configmaps", "-n", "shop", "-o", "name")
