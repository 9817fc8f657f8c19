"""The verbs of a delivery, one after the other, on a real cluster: deploy, status, diff, deploy.sh, rollback, history, remove."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from tests.e2e.cluster import Cluster
from tests.e2e.nodes import Fate
from tests.e2e.stacks import NAME, Forged, assert_contents, everything_is_ready, state

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _left_over(cluster: Cluster) -> Iterator[None]:
    """On a cluster that was there before the tests, namespaces have no label by which they would be removed."""
    yield
    if cluster.own is None:
        cluster.kubectl("delete", "namespace", "--ignore-not-found", NAME, "cluster-forge")


def test_a_stack_comes_changes_goes_back_and_goes_away(forged: Forged, cluster: Cluster) -> None:
    before = cluster.contents()
    old, new = forged(), forged(version="1.1.0")
    assert old.program("status").returncode == 1
    assert old.program("diff").returncode == 1
    old.succeeds("deploy", "--yes", "-q")
    assert everything_is_ready(cluster)
    old.succeeds("status")
    old.succeeds("diff")
    assert new.program("diff").returncode == 1
    new.succeeds("deploy", "--yes", "-q")
    assert everything_is_ready(cluster, "1.1.0")
    new.succeeds("diff")
    new.succeeds("rollback", "--yes", "-q")
    assert everything_is_ready(cluster)
    old.succeeds("diff")
    releases = json.loads(old.succeeds("history", "--format", "json"))["releases"]
    assert sorted((one["number"], one["result"], one["cause"]) for one in releases) == [
        (1, "deployed", ""),
        (2, "deployed", ""),
        (3, "deployed", "rollback to 1"),
    ]
    old.succeeds("remove", "--yes", "-q", "--data")
    assert_contents(cluster, before)


def test_kubectl_understands_the_inventory(
    forged: Forged, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """KEP-3659: kubectl reads the claim as the parent of an ApplySet, and leaves it to the tool that it names."""
    shop = forged()
    shop.succeeds("deploy", "--yes", "-q")
    mine = tmp_path / "mine.yaml"
    mine.write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: mine, namespace: cluster-forge}}\n")
    monkeypatch.setenv("KUBECTL_APPLYSET", "true")
    parent = ("-n", "cluster-forge", f"--applyset=configmap/claim-{NAME}")
    with pytest.raises(CalledProcessError, match='managed by tooling "cluster-forge" instead of "kubectl"'):
        cluster.kubectl("apply", "--server-side", "--prune", *parent, "-f", mine)
    shop.succeeds("remove", "--yes", "-q", "--data")


def test_deploy_and_deploy_sh_give_the_same_cluster(forged: Forged, cluster: Cluster) -> None:
    shop = forged()
    shop.succeeds("deploy", "--yes", "-q")
    by_deploy = state(cluster)
    assert {key.kind for key in by_deploy} >= {"Deployment", "Widget", "StatefulSet", "ConfigMap", "Namespace"}
    done = shop.deploy_script()
    assert done.returncode == 0, done.stdout + done.stderr
    assert state(cluster) == by_deploy
    shop.succeeds("remove", "--yes", "-q", "--data")
    done = shop.deploy_script()
    assert done.returncode == 0, done.stdout + done.stderr
    assert state(cluster) == by_deploy
    shop.succeeds("diff")
    shop.succeeds("remove", "--yes", "-q", "--data")


def test_a_failed_upgrade_goes_back_by_itself(forged: Forged, own_cluster: Cluster) -> None:
    old, broken = forged(), forged(version="1.1.0", fate=Fate.NO_IMAGE)
    old.succeeds("deploy", "--yes", "-q")
    said = broken.fails("deploy", "--yes", "-q", "--atomic", "--timeout", "10")
    assert "registry.example.com answers 401" in said
    assert everything_is_ready(own_cluster)
    old.succeeds("diff")
