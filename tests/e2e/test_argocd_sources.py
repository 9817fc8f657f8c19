"""Where a real Argo CD reads a stack: an OCI artifact and the cast image of a real registry, and a Git server over HTTP that
wants a login, the Git server in the cluster with a volume.

``internal`` without one and ``file://`` are in `test_argocd_project`.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.e2e import program
from tests.e2e.argocd import kinds
from tests.e2e.cluster import Cluster
from tests.e2e.stacks import NAME, Shop, everything_is_ready
from tests.oci.base_images import Base
from tests.servers import git_http, git_ssh, registry
from tests.servers.git_http import PASSWORD, USER, GitServer
from tests.servers.pushing import Repository, push_base

from cluster_forge.gitops.git_server import COMMIT

pytestmark = pytest.mark.e2e
DEPLOY = ("deploy", "--yes", "-q", "--timeout", "300")
SECRET = "repository"
READS_REGISTRIES = (3, 1)
"""The first minor version of Argo CD that does."""


@pytest.fixture(scope="module", autouse=True)
def _kinds(control_plane_program: Path, shared_cluster: Cluster) -> Iterator[None]:
    with kinds(shared_cluster):
        yield
    shared_cluster.clear()


@pytest.fixture
def shop(own_cluster: Cluster, tmp_path: Path, argocd: str) -> Shop:
    """The stack's workspace; Argo CD runs, and lacks nothing but the login."""
    return Shop(workspace=tmp_path / "workspace", cluster=own_cluster)


def set_up(shop: Shop, argocd: str, **login: str) -> None:
    """What Argo CD's administrator makes: the settings, and the Secret that describes the repository."""
    shop.cluster.kubectl(
        "apply", "--server-side", "-n", argocd, "-f", shop.stack / "bootstrap" / "argocd-settings.yaml"
    )
    values = (f"--from-literal={key}={value}" for key, value in login.items())
    with contextlib.suppress(subprocess.CalledProcessError):
        shop.cluster.kubectl("delete", "secret", "-n", argocd, SECRET)
    shop.cluster.kubectl("create", "secret", "generic", "-n", argocd, SECRET, *values)
    shop.cluster.kubectl("label", "secret", "-n", argocd, SECRET, "argocd.argoproj.io/secret-type=repository")


def test_an_artifact_of_a_registry(shop: Shop, argocd: str, tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    folder.mkdir()
    with registry.without_login(folder) as stored:
        repository = f"oci://{stored.host}/team/shop"
        forge = partial(shop.forge, engine="argocd", install=False, source="oci", url=repository, secret=SECRET)
        forge()
        set_up(shop, argocd, url=repository, name="shop", type="oci", insecureOCIForceHttp="true")
        shop.succeeds("push", "--to", repository, "-q")
        if program.argo_cd().minor < READS_REGISTRIES:
            assert "(engine-version)" in shop.fails(*DEPLOY)
            return
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(shop.cluster)
        shop.succeeds("status")

        forge(version="2.0.0")
        shop.succeeds("push", "--to", repository, "-q")
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(shop.cluster, "2.0.0")


def test_the_cast_image_serves_its_repository(shop: Shop, argocd: str, tmp_path: Path) -> None:
    """The first container's own command, with the files that a node would pull."""
    folder = tmp_path / "registry"
    folder.mkdir()
    with registry.without_login(folder) as stored:
        base = push_base(Repository(stored, "tools/git"), Base())
        image = {"repository": f"{stored.host}/team/shop", "base": base}
        forge = partial(shop.forge, engine="argocd", install=False, source="image", image=image)
        forge()
        shop.cluster.kubectl(
            *("apply", "--server-side", "-n", argocd, "-f", shop.stack / "bootstrap" / "argocd-settings.yaml")
        )
        shop.succeeds("push", "-q")
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(shop.cluster)
        server = shop.cluster.get(f"/apis/apps/v1/namespaces/cluster-forge/deployments/git-{NAME}")
        assert server["spec"]["template"]["spec"]["containers"][0]["image"].startswith(
            f"{stored.host}/team/shop@sha256:"
        )
        assert not shop.cluster.get(f"/api/v1/namespaces/cluster-forge/configmaps?labelSelector={COMMIT}")["items"]

        forge(version="2.0.0")
        shop.succeeds("push", "-q")
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(shop.cluster, "2.0.0")


def test_a_volume_keeps_the_repository(shop: Shop, argocd: str) -> None:
    """Each new Pod of the Git server finds the commits of the former ones."""
    forge = partial(shop.forge, engine="argocd", install=False, source="internal", persistent=True)
    forge()
    shop.cluster.kubectl(
        *("apply", "--server-side", "-n", argocd, "-f", shop.stack / "bootstrap" / "argocd-settings.yaml")
    )
    shop.succeeds(*DEPLOY)
    assert everything_is_ready(shop.cluster)
    claim = f"/api/v1/namespaces/cluster-forge/persistentvolumeclaims/git-{NAME}"
    volume = shop.cluster.get(claim)["spec"]["volumeName"]
    forge(version="2.0.0")
    shop.succeeds(*DEPLOY)
    assert everything_is_ready(shop.cluster, "2.0.0")
    shop.succeeds("rollback", "--yes", "-q")
    assert everything_is_ready(shop.cluster)
    assert shop.cluster.get(claim)["spec"]["volumeName"] == volume
    shop.succeeds("remove", "--yes", "-q", "--data")
    assert shop.cluster.get(claim) is None


@pytest.mark.skipif(git_ssh.PROGRAM is None, reason=git_ssh.MISSING)
def test_a_git_server_over_ssh_with_a_key(
    shop: Shop, argocd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pushed with the SSH configuration of this machine, into a folder of the repository."""
    repository = tmp_path / "shop.git"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", repository], check=True)
    with git_ssh.serving(tmp_path / "ssh") as server:
        monkeypatch.setenv("GIT_SSH_COMMAND", server.client)
        url = server.address(repository).removeprefix("git+")
        forge = partial(shop.forge, engine="argocd", install=False, source="external", url=url, path="envs/prod")
        forge(secret=SECRET)
        said = shop.fails("deploy", "--yes")
        assert "--from-file=sshPrivateKey=KEY" in said
        shop.succeeds("push", "--git", "-q")
        key = (tmp_path / "ssh/user").read_text()
        set_up(shop, argocd, type="git", url=url, sshPrivateKey=key, insecure="true")
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(shop.cluster)


@contextlib.contextmanager
def git_servers(folder: Path) -> Iterator[tuple[GitServer, GitServer]]:
    """A repository on a server that wants a login, and on one that takes pushes of everyone."""
    repository = folder / f"{NAME}.git"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", repository], check=True)
    subprocess.run(["git", "-C", repository, "config", "http.receivepack", "true"], check=True)
    with git_http.serving(folder, login=True) as closed, git_http.serving(folder) as open_to_all:
        yield closed, open_to_all


def test_a_git_server_that_wants_a_login(shop: Shop, argocd: str, tmp_path: Path) -> None:
    with git_servers(tmp_path / "repositories") as (closed, open_to_all):
        url = f"{closed.url}/{NAME}.git"
        shop.forge(engine="argocd", install=False, source="external", url=url, secret=SECRET)
        shop.succeeds("push", "--git", "--to", f"{open_to_all.url}/{NAME}.git", "-q")
        set_up(shop, argocd, url=url, username=USER, password="another")
        failed = shop.program("deploy", "--yes", "--timeout", "20")
        assert failed.returncode not in (0, 70), failed.stdout + failed.stderr
        assert "authentication required" in failed.stderr.lower()
        assert "another" not in failed.stdout + failed.stderr

        set_up(shop, argocd, url=url, username=USER, password=PASSWORD)
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(shop.cluster)
