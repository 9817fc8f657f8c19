"""Two clusters, each with an engine of its own that reads its folder of one Git repository (``gitops.clusterFolders``)."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e import argocd, flux, program
from tests.e2e.cluster import Cluster, side_by_side
from tests.e2e.fleets import EXTRAS_PATH, WEB, Fleet, description
from tests.servers import git_http

pytestmark = pytest.mark.e2e

DESCRIPTION = """\
apiVersion: cluster-forge/v1
kind: Stack
name: shop
target: {kubernetes: "VERSION"}
gitops: {engine: ENGINE, install: false, source: external, path: platform, clusterFolders: true}
components: [{name: web, namespace: shop, manifests: [web.yaml]}]
environments:
  production: {components: [{name: extras, namespace: shop, manifests: [extras.yaml], needs: [web]}]}
rollout: {order: [staging, production]}
"""


@pytest.fixture(scope="module")
def clusters(control_plane_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Cluster]]:
    with side_by_side(tmp_path_factory.mktemp, "staging", "eu") as clusters:
        yield clusters


@pytest.fixture(params=["argocd", "flux"])
def fleet(
    request: pytest.FixtureRequest,
    clusters: dict[str, Cluster],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Fleet]:
    """The stack is cast and pushed, and its engine runs in each cluster."""
    described = description(DESCRIPTION.replace("ENGINE", request.param), clusters)
    with contextlib.ExitStack() as stack:
        if request.param == "argocd":
            remote = tmp_path / "remote.git"
            subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", remote], check=True)
            described["gitops"]["url"] = f"file://{remote}"
        else:
            described["gitops"]["url"] = stack.enter_context(git_http.taking_pushes(tmp_path))
        made = Fleet(workspace=tmp_path / "w", clusters=clusters, description=described, capsys=capsys)
        made.forge_and_push()
        for name, cluster in clusters.items():
            logs = tmp_path / name
            logs.mkdir()
            stack.enter_context(_engine(request.param, cluster, logs, made.workspace))
        yield made
    for cluster in clusters.values():
        cluster.clear()


@contextlib.contextmanager
def _engine(engine: str, cluster: Cluster, logs: Path, workspace: Path) -> Iterator[None]:
    if engine == "flux":
        program.flux().build()
        with flux.running(cluster, logs):
            yield
        return
    argocd.install(cluster)
    settings = workspace / "stacks" / "shop" / "bootstrap" / "argocd-settings.yaml"
    cluster.kubectl("apply", "--server-side", "-n", argocd.NAMESPACE, "-f", settings)
    with argocd.running(cluster, logs):
        yield


def deploy(fleet: Fleet, *chosen: str) -> dict[str, str]:
    """The verdict of each cluster."""
    answer = json.loads(fleet.ask("deploy", *chosen, "--yes", "--timeout", "240").splitlines()[-1])
    return {one["name"]: one["verdict"] for one in answer["clusters"]}


def test_each_cluster_has_its_folder_and_its_tag(fleet: Fleet) -> None:
    assert deploy(fleet, "--all") == {"staging": "done", "eu": "done"}
    assert (fleet.has("staging", EXTRAS_PATH), fleet.has("eu", EXTRAS_PATH)) == (False, True)
    assert all(one["healthy"] for one in json.loads(fleet.ask("status", "--all"))["clusters"])

    fleet.forge_and_push(WEB.replace(":1.0.0", ":1.1.0"))
    assert deploy(fleet, "--cluster", "staging") == {"staging": "done"}
    assert (fleet.image("staging"), fleet.image("eu")) == (
        "registry.example.com/web:1.1.0",
        "registry.example.com/web:1.0.0",
    )
    assert deploy(fleet, "--all") == {"staging": "done", "eu": "done"}
    assert fleet.image("eu") == "registry.example.com/web:1.1.0"

    back = fleet.ask("rollback", "shop", "--kubeconfig", str(fleet.clusters["eu"].kubeconfig), "--yes")
    assert json.loads(back.splitlines()[-1])["deployed"] is True
    assert (fleet.image("staging"), fleet.image("eu")) == (
        "registry.example.com/web:1.1.0",
        "registry.example.com/web:1.0.0",
    )
