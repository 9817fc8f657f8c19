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
from tests.e2e import argocd, program
from tests.e2e.cluster import Cluster, side_by_side

from cluster_forge.cli.app import run

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
ARGO_CD = "/apis/argoproj.io/v1alpha1/namespaces/argocd"
EXTRAS_PATH = "/api/v1/namespaces/shop/configmaps/extras"
WEB_PATH = "/apis/apps/v1/namespaces/shop/deployments/web"


@pytest.fixture(scope="module")
def clusters(control_plane_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Cluster]]:
    with side_by_side(tmp_path_factory.mktemp, "hub", "staging", "eu") as clusters:
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


@dataclass(slots=True)
class Fleet:
    """The workspace, and the clusters by their names; ``hub`` has the Argo CD."""

    workspace: Path
    clusters: dict[str, Cluster]
    description: dict[str, Any]
    capsys: pytest.CaptureFixture[str]

    def forge(self, web: str = WEB) -> None:
        """Forge for both environments, and push what they have in common with the repository."""
        files = {"config.yaml": yaml.safe_dump(self.description), "web.yaml": web, "extras.yaml": EXTRAS}
        for path, text in files.items():
            (self.workspace / "input" / path).write_text(text)
        for environment in ((), ("--environment", "production")):
            self.ask("forge", *environment, "--store", str(self.workspace.parent / "store"))
        self.ask("push", "--git", "--all")

    def deploy(self, expected: int = 0, timeout: int = 120) -> list[dict[str, Any]]:
        printed = self.ask("deploy", "--all", "--yes", "--timeout", str(timeout), expected=expected)
        *events, answer = map(json.loads, printed.splitlines())
        assert {event["event"] for event in events} >= {"started", "finished"}
        clusters: list[dict[str, Any]] = answer["clusters"]
        return clusters

    def ask(self, *arguments: str, expected: int = 0) -> str:
        """What a verb prints on stdout."""
        self.capsys.readouterr()
        code = run(["-C", str(self.workspace), *arguments, "--format", "json"])
        captured = self.capsys.readouterr()
        assert code == expected, captured.out + captured.err
        return captured.out

    def has(self, cluster: str, path: str) -> bool:
        return self.clusters[cluster].get(path) is not None

    @property
    def pins(self) -> dict[str, str]:
        """The revisions in the ApplicationSet, by cluster."""
        found = self.clusters["hub"].get(f"{ARGO_CD}/applicationsets/shop.clusters")
        return {one["cluster"]: one["revision"] for one in found["spec"]["generators"][0]["list"]["elements"]}


@pytest.fixture
def fleet(clusters: dict[str, Cluster], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Fleet]:
    """The stack is cast, pushed for each cluster, and Argo CD runs in the hub."""
    remote, hub = tmp_path / "remote.git", clusters["hub"]
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", remote], check=True)
    description = yaml.safe_load(DESCRIPTION.replace("VERSION", "1.{2}".format(*program.kubernetes())))
    description["gitops"] |= {"url": f"file://{remote}", "central": {"kubeconfig": str(hub.kubeconfig)}}
    (tmp_path / "w" / "input").mkdir(parents=True)
    made = Fleet(workspace=tmp_path / "w", clusters=clusters, description=description, capsys=capsys)
    made.forge()
    argocd.install(hub)
    settings = made.workspace / "stacks" / "shop" / "bootstrap" / "argocd-settings.yaml"
    hub.kubectl("apply", "--server-side", "-n", argocd.NAMESPACE, "-f", settings)
    with argocd.running(hub, tmp_path):
        yield made
    for cluster in clusters.values():
        cluster.clear()


def test_one_argo_cd_delivers_to_one_cluster_after_the_other_and_stops_at_one_that_fails(fleet: Fleet) -> None:
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

    fleet.forge(WEB.replace("fate: ready", "fate: crash"))
    assert [one["verdict"] for one in fleet.deploy(expected=55, timeout=15)] == ["failed", "skipped"]
    assert fleet.pins == first | {"staging": fleet.pins["staging"]} != first
    assert "crash" not in str(fleet.clusters["eu"].get(WEB_PATH))

    fleet.forge()  # the version before: its tags are there, and going back is one change of a pin
    fleet.deploy()
    assert fleet.pins == first


def test_what_leaves_the_stack_leaves_the_clusters_and_a_cluster_that_leaves_keeps_everything(fleet: Fleet) -> None:
    for member in ("staging", "eu"):
        known(fleet.clusters["hub"], fleet.clusters[member])
    fleet.deploy()
    fleet.description["environments"]["production"] = {}
    fleet.forge()
    fleet.deploy()
    assert not fleet.has("eu", EXTRAS_PATH)
    project = fleet.clusters["hub"].get(f"{ARGO_CD}/appprojects/shop.project")
    assert "ConfigMap" not in str(project["spec"]["namespaceResourceWhitelist"])

    fleet.description["clusters"].pop()
    fleet.description["rollout"]["order"].pop()
    fleet.forge()
    fleet.deploy()
    assert list(fleet.pins) == ["staging"]
    assert fleet.has("eu", WEB_PATH)
