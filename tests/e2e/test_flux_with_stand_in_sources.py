"""A stack through Flux: the real kustomize-controller, a stand-in for the source-controller, a Git server over HTTP, and a registry
that wants a login.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from tests.e2e import flux as flux_processes
from tests.e2e.cluster import Cluster
from tests.e2e.stacks import NAME, Shop, assert_contents, everything_is_ready
from tests.servers import git_http, registry

pytestmark = pytest.mark.e2e
KUSTOMIZATIONS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/cluster-forge/kustomizations"
DEPLOY = ("deploy", "--yes", "-q", "--timeout", "300")


@pytest.fixture
def flux(own_cluster: Cluster, tmp_path: Path) -> Iterator[None]:
    with flux_processes.running(own_cluster, tmp_path):
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A stack whose manifests Flux reads from a Git server; each cast is pushed there."""

    shop: Shop
    url: str

    def publish(self, version: str) -> None:
        self.shop.forge(engine="flux", version=version, install=False, source="external", url=self.url)
        self.shop.succeeds("push", "--git", "-q")


def test_flux_brings_a_stack_upgrades_it_goes_back_and_lets_it_go(
    own_cluster: Cluster, tmp_path: Path, flux: None
) -> None:
    before = own_cluster.contents()
    with git_http.taking_pushes(tmp_path) as url:
        published = Published(shop=Shop(workspace=tmp_path / "workspace", cluster=own_cluster), url=url)
        shop = published.shop
        published.publish("1.0.0")
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(own_cluster)
        shop.succeeds("status")
        names = {item["metadata"]["name"] for item in own_cluster.get(KUSTOMIZATIONS)["items"]}
        assert {f"{NAME}.web", f"{NAME}.db", f"{NAME}.widgets", f"{NAME}.flux"} <= names
        published.publish("1.1.0")
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(own_cluster, "1.1.0")
        shop.succeeds("rollback", "--yes", "-q")
        assert everything_is_ready(own_cluster)
        shop.succeeds("remove", "--yes", "-q", "--data")
    assert_contents(own_cluster, before)


def test_a_git_server_that_has_gone_is_named(own_cluster: Cluster, tmp_path: Path, flux: None) -> None:
    """What is there stays."""
    with git_http.taking_pushes(tmp_path) as url:
        published = Published(shop=Shop(workspace=tmp_path / "workspace", cluster=own_cluster), url=url)
        published.publish("1.0.0")
        published.shop.succeeds(*DEPLOY)
        published.publish("1.1.0")
    said = published.shop.fails("deploy", "--yes", "-q", "--timeout", "10")
    assert "Flux cannot read the source" in said
    assert url in said
    assert everything_is_ready(own_cluster)


def test_an_artifact_of_a_registry_that_wants_a_login(
    own_cluster: Cluster, tmp_path: Path, flux: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = own_cluster.contents()
    shop, folder = Shop(workspace=tmp_path / "workspace", cluster=own_cluster), tmp_path / "registry"
    folder.mkdir()
    with registry.with_password(folder) as stored:
        monkeypatch.setenv("DOCKER_CONFIG", str(docker_login(tmp_path / "docker", stored.host)))
        repository = f"oci://{stored.host}/team/shop"

        def publish(version: str) -> None:
            registries = {stored.host: {"plainHttp": True}}
            forge = partial(shop.forge, engine="flux", install=False, source="oci", url=repository, secret="registry")
            forge(version=version, registries=registries)
            shop.succeeds("push", "--to", repository, "-q")

        publish("1.0.0")
        said = shop.fails("deploy", "--yes", "-q")
        assert "Secret/cluster-forge/registry: the Secret with Flux's login" in said
        assert own_cluster.contents() == before
        own_cluster.kubectl("create", "namespace", "cluster-forge")
        own_cluster.kubectl(
            *(
                "create",
                "secret",
                "docker-registry",
                "registry",
                "-n",
                "cluster-forge",
                f"--docker-server={stored.host}",
            ),
            *(f"--docker-username={registry.USER}", "--docker-password=wrong"),
        )
        said = shop.fails("deploy", "--yes", "-q", "--timeout", "10")
        assert "Flux cannot read the source" in said
        assert "401" in said
        login = (tmp_path / "docker" / "config.json").read_bytes()
        own_cluster.kubectl(
            *("patch", "secret", "registry", "-n", "cluster-forge", "-p"),
            json.dumps({"data": {".dockerconfigjson": base64.b64encode(login).decode()}}),
        )
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(own_cluster)
        publish("1.1.0")
        shop.succeeds(*DEPLOY)
        assert everything_is_ready(own_cluster, "1.1.0")
        shop.succeeds("rollback", "--yes", "-q")
        assert everything_is_ready(own_cluster)
        shop.succeeds("remove", "--yes", "-q", "--data")


def docker_login(folder: Path, host: str) -> Path:
    """A folder with the login to a registry, as Docker keeps it."""
    folder.mkdir()
    secret = base64.b64encode(f"{registry.USER}:{registry.PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": secret}}}))
    return folder
