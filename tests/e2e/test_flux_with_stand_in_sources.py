"""A stack through Flux: the real kustomize-controller, a stand-in for the source-controller, a Git server over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e import flux as flux_processes
from tests.e2e.cluster import Cluster
from tests.e2e.stacks import NAME, Shop, assert_contents, everything_is_ready
from tests.servers import git_http

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
