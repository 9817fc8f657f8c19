"""The Argo CD of somebody else (`install: false`): in a namespace of its choice, with Applications in others or not, and with
settings that leave objects out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e import argocd as argocd_processes
from tests.e2e.cluster import Cluster
from tests.e2e.stacks import NAME, Shop, assert_contents, everything_is_ready
from tests.e2e.stand_in.webhooks import Webhooks

pytestmark = pytest.mark.e2e
ELSEWHERE = "gitops"
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{ELSEWHERE}/applications"
DEPLOY = ("deploy", "--yes", "-q", "--timeout", "300")
EXCLUSIONS = """\
- apiGroups: ['', discovery.k8s.io]
  kinds: [Endpoints, EndpointSlice]
"""
"""The first of the rules that Argo CD's manifests have since 3.0."""
OUTSIDE = """\
apiVersion: v1
kind: Service
metadata: {name: database}
spec: {ports: [{port: 5432}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: database}
subsets: [{addresses: [{ip: 192.0.2.1}], ports: [{port: 5432}]}]
"""


@pytest.fixture(params=["", "*"], ids=["its own namespace", "any namespace"])
def application_namespaces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where, beside its own namespace, Argo CD takes Applications (Argo CD, "Applications in any namespace")."""
    if request.param:
        monkeypatch.setenv("ARGOCD_APPLICATION_NAMESPACES", request.param)


@pytest.fixture
def elsewhere(application_namespaces: None, own_cluster: Cluster, stand_in: Webhooks, tmp_path: Path) -> Iterator[None]:
    """An Argo CD in another namespace than most."""
    argocd_processes.install(own_cluster, ELSEWHERE)
    with argocd_processes.running(own_cluster, tmp_path, ELSEWHERE):
        yield


def settle(shop: Shop, namespace: str) -> None:
    """Make the settings that a stack needs, as Argo CD's administrator."""
    settings = shop.stack / "bootstrap" / "argocd-settings.yaml"
    shop.cluster.kubectl("apply", "--server-side", "-n", namespace, "-f", settings)


@pytest.mark.usefixtures("elsewhere")
def test_an_argo_cd_in_another_namespace_delivers_goes_back_and_removes(own_cluster: Cluster, tmp_path: Path) -> None:
    shop = Shop(workspace=tmp_path / "workspace", cluster=own_cluster)
    shop.forge(engine="argocd", install=False)
    settle(shop, ELSEWHERE)
    before = own_cluster.contents()
    shop.succeeds(*DEPLOY)
    assert everything_is_ready(own_cluster)
    assert own_cluster.get(f"{APPLICATIONS}/{NAME}.web")
    shop.succeeds("status")
    shop.succeeds("diff")

    shop.forge(engine="argocd", install=False, version="1.1.0")
    done = shop.deploy_script("--namespace", ELSEWHERE, "--timeout", "300")
    assert done.returncode == 0, done.stdout + done.stderr
    assert everything_is_ready(own_cluster, "1.1.0")
    shop.succeeds("status")
    shop.succeeds("rollback", "--yes", "-q", "--timeout", "300")
    assert everything_is_ready(own_cluster)
    causes = [one["cause"] for one in json.loads(shop.succeeds("history", "--format", "json"))["releases"]]
    assert sorted(causes) == ["", "", "rollback to 1"]
    shop.succeeds("remove", "--yes", "-q", "--data", "--timeout", "300")
    assert_contents(own_cluster, before)


def test_what_its_settings_leave_out_is_said_before_the_first_change(
    own_cluster: Cluster, stand_in: Webhooks, tmp_path: Path
) -> None:
    argocd_processes.install(own_cluster, settings={"resource.exclusions": EXCLUSIONS})
    shop = Shop(workspace=tmp_path / "workspace", cluster=own_cluster)
    shop.forge(engine="argocd", install=False, more={"outside": OUTSIDE})
    settle(shop, argocd_processes.NAMESPACE)
    with argocd_processes.running(own_cluster, tmp_path):
        said = shop.fails(*DEPLOY)
        assert "Argo CD applies no Endpoints, and the stack has 1 object of this kind" in said
        assert not own_cluster.get("/api/v1/namespaces/outside")
        shop.succeeds(*DEPLOY, "--allow", "engine-setting")
        assert own_cluster.get("/api/v1/namespaces/outside/services/database")
        assert not own_cluster.get("/api/v1/namespaces/outside/endpoints/database")
