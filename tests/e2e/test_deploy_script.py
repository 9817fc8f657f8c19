"""``deploy.sh`` brings a stack into a real cluster, without an engine and through an Argo CD that is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.cluster import Cluster
from tests.e2e.nodes import Fate
from tests.e2e.stacks import NAME, Shop, everything_is_ready

pytestmark = pytest.mark.e2e
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"


@pytest.fixture
def shop(cluster: Cluster, tmp_path: Path) -> Shop:
    return Shop(workspace=tmp_path / "workspace", cluster=cluster)


def test_the_stack_is_there_and_ready_without_an_engine(shop: Shop, cluster: Cluster) -> None:
    shop.forge()
    done = shop.deploy_script()
    assert done.returncode == 0, done.stdout + done.stderr
    assert everything_is_ready(cluster)


def test_it_does_not_end_well_while_a_pod_is_not_ready(shop: Shop, own_cluster: Cluster) -> None:
    shop.forge(fate=Fate.NO_IMAGE)
    done = shop.deploy_script("--timeout", "10")
    assert done.returncode != 0
    assert "web" in done.stderr


def test_it_goes_on_after_the_api_server_was_away(shop: Shop, own_cluster: Cluster) -> None:
    shop.forge()
    with own_cluster.without_api_server():
        assert shop.deploy_script().returncode != 0
    done = shop.deploy_script()
    assert done.returncode == 0, done.stdout + done.stderr
    assert everything_is_ready(own_cluster)


def test_argo_cd_syncs_the_stack_from_the_git_server_in_the_cluster(
    shop: Shop, own_cluster: Cluster, argocd: str
) -> None:
    shop.forge(engine="argocd", install=False)
    done = shop.deploy_script("--timeout", "120")
    assert done.returncode == 0, done.stdout + done.stderr
    assert everything_is_ready(own_cluster)
    states = {
        item["metadata"]["name"]: (item["status"]["sync"]["status"], item["status"]["health"]["status"])
        for item in own_cluster.get(APPLICATIONS)["items"]
    }
    assert set(states.values()) == {("Synced", "Healthy")}, states
    assert {f"{NAME}.web", f"{NAME}.db", f"{NAME}.widgets"} <= states.keys()
