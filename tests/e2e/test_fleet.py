"""One stack on three clusters side by side: a rollout with deploy, one that stops, status and diff in one table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.cluster import Cluster, side_by_side
from tests.e2e.fleets import EXTRAS_PATH, Fleet, description

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


@pytest.fixture(scope="module")
def clusters(control_plane_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Cluster]]:
    with side_by_side(tmp_path_factory.mktemp, "staging", "eu", "us") as clusters:
        yield clusters


def test_a_rollout_goes_from_staging_to_production_and_stops_at_a_cluster_that_fails(
    clusters: dict[str, Cluster], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = Fleet(
        workspace=tmp_path / "w", clusters=clusters, description=description(DESCRIPTION, clusters), capsys=capsys
    )

    def ask(*arguments: str, expected: int = 0) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(fleet.ask(*arguments, "--quiet", expected=expected))
        return answer

    fleet.forge()
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
    assert (fleet.has("staging", EXTRAS_PATH), fleet.has("us", EXTRAS_PATH)) == (False, True)
