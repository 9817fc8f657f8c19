"""Where a real Argo CD reads a stack: an OCI artifact of a real registry, and a Git server over HTTP that wants a login.

``internal`` and ``file://`` are in `test_argocd_project`.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.cluster import Cluster
from tests.e2e.stacks import NAME, Shop, everything_is_ready
from tests.servers import git_http, registry
from tests.servers.git_http import PASSWORD, USER, GitServer

pytestmark = pytest.mark.e2e
DEPLOY = ("deploy", "--yes", "-q", "--timeout", "120")
SECRET = "repository"


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
        source: dict[str, Any] = {"source": "oci", "url": repository, "secret": SECRET}
        shop.forge(engine="argocd", install=False, **source)
        set_up(shop, argocd, url=repository, name="shop", type="oci", insecureOCIForceHttp="true")
        shop.succeeds("push", "--to", repository, "-q")
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(shop.cluster)
        shop.succeeds("status")

        shop.forge(engine="argocd", install=False, version="2.0.0", **source)
        shop.succeeds("push", "--to", repository, "-q")
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(shop.cluster, "2.0.0")


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
