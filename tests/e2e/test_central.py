"""One real Argo CD delivers a stack to two other clusters, from one Git repository with a folder for each."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e import argocd
from tests.e2e.cluster import Cluster, side_by_side
from tests.e2e.fleets import EXTRAS_PATH, WEB, WEB_PATH, Fleet, description
from tests.e2e.stacks import assert_contents

pytestmark = pytest.mark.e2e

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: shop
target: {kubernetes: "VERSION"}
gitops: {engine: argocd, install: false, source: external, path: platform}
components: [{name: web, namespace: shop, manifests: [web.yaml]}]
environments:
  production: {components: [{name: extras, namespace: shop, manifests: [extras.yaml], needs: [web]}]}
clusters: [{name: staging}, {name: eu, environment: production}]
rollout: {order: [staging, production]}
"""
ARGO_CD = "/apis/argoproj.io/v1alpha1/namespaces/argocd"


@pytest.fixture(scope="module")
def clusters(control_plane_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Cluster]]:
    with side_by_side(tmp_path_factory.mktemp, "hub", "staging", "eu") as clusters, argocd.kinds(clusters["hub"]):
        yield clusters


def known(hub: Cluster, member: Cluster) -> None:
    """What ``argocd cluster add --name`` leaves (Argo CD, "Clusters")."""
    kubeconfig = yaml.safe_load(member.kubeconfig.read_text())
    cluster, user = kubeconfig["clusters"][0]["cluster"], kubeconfig["users"][0]["user"]
    config = {
        "tlsClientConfig": {
            "caData": data(cluster, "certificate-authority"),
            "certData": data(user, "client-certificate"),
            "keyData": data(user, "client-key"),
        }
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"cluster-{member.name}", "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "stringData": {"name": member.name, "server": cluster["server"], "config": json.dumps(config)},
    }
    hub.apply(f"/api/v1/namespaces/{argocd.NAMESPACE}/secrets/cluster-{member.name}", secret)


def data(holder: dict[str, str], key: str) -> str:
    """A certificate or key of a kubeconfig, which has it or names its file."""
    if inline := holder.get(f"{key}-data"):
        return inline
    return base64.b64encode(Path(holder[key]).read_bytes()).decode()


@dataclass(slots=True, kw_only=True)
class HubFleet(Fleet):
    """The cluster ``hub`` has the Argo CD."""

    def deploy(self, expected: int = 0, timeout: int = 300) -> list[dict[str, Any]]:
        printed = self.ask("deploy", "--all", "--yes", "--timeout", str(timeout), expected=expected)
        *events, answer = map(json.loads, printed.splitlines())
        assert {event["event"] for event in events} >= {"started", "finished"}
        clusters: list[dict[str, Any]] = answer["clusters"]
        return clusters

    def history(self, cluster: str) -> list[tuple[str, str]]:
        """Cause and result of each release of a cluster."""
        listed = json.loads(self.ask("history", "--cluster", cluster))["releases"]
        return [(one["cause"], one["result"]) for one in listed]

    @property
    def pins(self) -> dict[str, str]:
        """The revisions in the ApplicationSet, by cluster."""
        found = self.clusters["hub"].get(f"{ARGO_CD}/applicationsets/shop.clusters")
        return {one["cluster"]: one["revision"] for one in found["spec"]["generators"][0]["list"]["elements"]}


@pytest.fixture
def progressive(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ApplicationSet controller syncs the clusters itself, step by step (Argo CD, "Progressive Syncs")."""
    monkeypatch.setenv("ARGOCD_APPLICATIONSET_CONTROLLER_ENABLE_PROGRESSIVE_SYNCS", "true")


@pytest.fixture
def fleet(clusters: dict[str, Cluster], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[HubFleet]:
    """The stack is cast, pushed for each cluster, and Argo CD runs in the hub."""
    remote, hub = tmp_path / "remote.git", clusters["hub"]
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", remote], check=True)
    described = description(DESCRIPTION)
    described["gitops"] |= {"url": f"file://{remote}", "central": {"kubeconfig": str(hub.kubeconfig)}}
    made = HubFleet(workspace=tmp_path / "w", clusters=clusters, description=described, capsys=capsys)
    made.forge_and_push()
    argocd.install(hub)
    settings = made.workspace / "stacks" / "shop" / "bootstrap" / "argocd-settings.yaml"
    hub.kubectl("apply", "--server-side", "-n", argocd.NAMESPACE, "-f", settings)
    with argocd.running(hub, tmp_path):
        yield made
    for cluster in clusters.values():
        cluster.clear()


def test_one_argo_cd_delivers_to_one_cluster_after_the_other_and_stops_at_one_that_fails(fleet: HubFleet) -> None:
    refused = fleet.ask("deploy", "--all", "--yes", expected=54)
    assert "argocd cluster add CONTEXT --name eu" in str(refused)
    for member in ("staging", "eu"):
        known(fleet.clusters["hub"], fleet.clusters[member])
    assert [(one["name"], one["verdict"]) for one in fleet.deploy()] == [("staging", "done"), ("eu", "done")]
    assert fleet.has("staging", WEB_PATH)
    assert fleet.has("eu", EXTRAS_PATH)
    assert not fleet.has("staging", EXTRAS_PATH)
    assert not fleet.has("hub", WEB_PATH)
    assert all(one["healthy"] for one in json.loads(fleet.ask("status", "--all"))["clusters"])
    first = fleet.pins

    fleet.forge_and_push(WEB.replace("fate: ready", "fate: crash"))
    assert [one["verdict"] for one in fleet.deploy(expected=55, timeout=15)] == ["failed", "skipped"]
    assert fleet.pins == first | {"staging": fleet.pins["staging"]} != first
    assert "crash" not in str(fleet.clusters["eu"].get(WEB_PATH))

    back = json.loads(fleet.ask("rollback", "--cluster", "staging", "--yes", "--timeout", "300", "--quiet"))
    assert (back["cluster"], back["to"], back["release"]) == ("staging", 1, 3)
    assert fleet.pins == first
    assert "ready" in str(fleet.clusters["staging"].get(WEB_PATH))
    assert fleet.history("staging") == [("", "deployed"), ("", "failed"), ("rollback to 1", "deployed")]
    root = fleet.clusters["hub"].get(f"{ARGO_CD}/applications/shop.staging.argo-apps")
    assert root["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}


def test_one_cluster_goes_back_and_leaves_while_the_other_stays(fleet: HubFleet) -> None:
    for member in ("staging", "eu"):
        known(fleet.clusters["hub"], fleet.clusters[member])
    before = fleet.clusters["hub"].contents()
    fleet.deploy()
    first = fleet.pins
    fleet.description["environments"]["production"] = {}
    fleet.forge_and_push(WEB.replace(":1.0.0", ":1.1.0"))
    fleet.deploy()
    second = fleet.pins
    assert not fleet.has("eu", EXTRAS_PATH)

    hub = ("--kubeconfig", str(fleet.clusters["hub"].kubeconfig))  # without the description
    trial = json.loads(fleet.ask("rollback", "shop", "--cluster", "eu", *hub, "--dry-run", "--quiet"))
    assert (trial["to"], trial["trial"], fleet.pins) == (1, True, second)
    back = json.loads(fleet.ask("rollback", "shop", "--cluster", "eu", *hub, "--yes", "--quiet"))
    assert (back["to"], back["deployed"]) == (1, True)
    assert fleet.pins == second | {"eu": first["eu"]} != second
    assert fleet.has("eu", EXTRAS_PATH)
    assert fleet.image("eu").endswith(":1.0.0")
    assert fleet.image("staging").endswith(":1.1.0")

    gone = json.loads(fleet.ask("remove", "--cluster", "eu", "--yes", "--quiet"))
    assert gone["components"] == ["extras", "web", "namespaces"]
    assert not fleet.has("eu", WEB_PATH)
    assert list(fleet.pins) == ["staging"]
    assert fleet.image("staging").endswith(":1.1.0")
    fleet.ask("remove", "--cluster", "staging", "--yes")
    assert not fleet.has("staging", WEB_PATH)
    assert fleet.has("staging", "/api/v1/namespaces/shop"), "it could hold data"
    assert_contents(fleet.clusters["hub"], before)


def test_what_leaves_the_stack_leaves_the_clusters_and_a_cluster_that_leaves_keeps_everything(fleet: HubFleet) -> None:
    for member in ("staging", "eu"):
        known(fleet.clusters["hub"], fleet.clusters[member])
    fleet.deploy()
    fleet.description["environments"]["production"] = {}
    fleet.forge_and_push()
    fleet.deploy()
    assert not fleet.has("eu", EXTRAS_PATH)
    project = fleet.clusters["hub"].get(f"{ARGO_CD}/appprojects/shop.project")
    assert "ConfigMap" not in str(project["spec"]["namespaceResourceWhitelist"])

    fleet.description["clusters"].pop()
    fleet.description["rollout"]["order"].pop()
    fleet.forge_and_push()
    fleet.deploy()
    assert list(fleet.pins) == ["staging"]
    assert fleet.has("eu", WEB_PATH)


@pytest.mark.usefixtures("progressive")
def test_where_argo_cd_itself_goes_step_by_step_the_rollout_is_the_same(fleet: HubFleet) -> None:
    for member in ("staging", "eu"):
        known(fleet.clusters["hub"], fleet.clusters[member])
    assert [one["verdict"] for one in fleet.deploy()] == ["done", "done"]
    fleet.forge_and_push(WEB.replace(":1.0.0", ":1.1.0"))
    assert [one["verdict"] for one in fleet.deploy()] == ["done", "done"]
    assert ":1.1.0" in str(fleet.clusters["eu"].get(WEB_PATH))
