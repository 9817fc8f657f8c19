"""``deploy.sh`` brings a stack into a real cluster, without an engine and through an Argo CD that is there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.e2e.cluster import Cluster
from tests.e2e.nodes import Fate
from tests.e2e.stacks import NAME, Shop, everything_is_ready, state

pytestmark = pytest.mark.e2e
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"

FIXED = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: SERVICE
  selector: {matchLabels: {app: store}}
  template: {metadata: {labels: {app: store}}, spec: {containers: [{name: a, image: "registry.example.com/a:1"}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front}
spec:
  selector: {matchLabels: {app: LABEL}}
  template: {metadata: {labels: {app: LABEL}}, spec: {containers: [{name: a, image: "registry.example.com/a:1"}]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ROLE}
subjects: [{kind: User, name: jane, apiGroup: rbac.authorization.k8s.io}]
"""
"""A component whose objects have fields that cannot change."""


def fixed(*values: str) -> dict[str, str]:
    text = FIXED
    for key, value in zip(("SERVICE", "LABEL", "ROLE"), values, strict=True):
        text = text.replace(key, value)
    return {"fixed": text}


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


@pytest.mark.parametrize("way", ["deploy", "deploy.sh"])
def test_fields_that_cannot_change_are_found_before_the_first_change(way: str, shop: Shop, cluster: Cluster) -> None:
    def deploy(*options: str) -> subprocess.CompletedProcess[str]:
        return shop.program("deploy", "--yes", *options) if way == "deploy" else shop.deploy_script(*options)

    shop.forge(more=fixed("a", "a", "view"))
    done = deploy()
    assert done.returncode == 0, done.stdout + done.stderr
    before, pod = state(cluster), cluster.get("/api/v1/namespaces/fixed/pods/store-0")["metadata"]["uid"]
    shop.forge(version="2.0.0", more=fixed("b", "b", "edit"))
    done = deploy()
    assert done.returncode in (3, 54, 10), done.stdout + done.stderr
    for name in ("store", "front", "readers", "spec.serviceName", "spec.selector", "roleRef", "--recreate"):
        assert name in done.stderr
    assert state(cluster) == before
    done = deploy("--recreate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert cluster.get("/api/v1/namespaces/fixed/pods/store-0")["metadata"]["uid"] == pod
    done = shop.program("diff")
    assert done.returncode == 0, done.stdout + done.stderr


def test_argo_cd_syncs_the_stack_from_the_git_server_in_the_cluster(
    shop: Shop, own_cluster: Cluster, argocd: str
) -> None:
    shop.forge(engine="argocd", install=False)
    done = shop.deploy_script("--timeout", "300")
    assert done.returncode == 0, done.stdout + done.stderr
    assert everything_is_ready(own_cluster)
    states = {
        item["metadata"]["name"]: (item["status"]["sync"]["status"], item["status"]["health"]["status"])
        for item in own_cluster.get(APPLICATIONS)["items"]
    }
    assert set(states.values()) == {("Synced", "Healthy")}, states
    assert {f"{NAME}.web", f"{NAME}.db", f"{NAME}.widgets"} <= states.keys()
