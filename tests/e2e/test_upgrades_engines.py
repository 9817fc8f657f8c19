"""Upgrades of real charts through the engines, with what neither of them can do itself: the pairs of `test_upgrades`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e import flux as flux_processes
from tests.e2e import upgrades
from tests.e2e.cluster import Cluster
from tests.e2e.stand_in.webhooks import Webhooks
from tests.e2e.test_upgrades import Workspace
from tests.e2e.upgrades import Pair
from tests.servers import git_http

pytestmark = [pytest.mark.e2e, pytest.mark.corpus]
DEPLOY = ("deploy", "--yes", "--timeout", "300")


@pytest.fixture
def flux(own_cluster: Cluster, stand_in: Webhooks, tmp_path: Path) -> Iterator[str]:
    """The address of the Git server from which Flux reads the stack."""
    with flux_processes.running(own_cluster, tmp_path), git_http.taking_pushes(tmp_path) as url:
        yield url


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("--upgrades")
    chosen = [pair for pair in upgrades.pairs() if every or pair.is_typical]
    metafunc.parametrize("pair", chosen, ids=str)


def test_through_argo_cd(pair: Pair, own_cluster: Cluster, argocd: str, tmp_path: Path) -> None:
    workspace = Workspace(folder=tmp_path / "workspace", cluster=own_cluster)
    for chart in (pair.old, pair.new):
        workspace.forge(pair, chart, engine="argocd", install=False)
        settings = workspace.folder / "stacks" / "upgraded" / "bootstrap" / "argocd-settings.yaml"
        own_cluster.kubectl("apply", "--server-side", "-n", argocd, "-f", settings)
        done = workspace.program(*DEPLOY)
        assert done.returncode == 0, done.stdout + done.stderr


def test_through_flux(pair: Pair, own_cluster: Cluster, flux: str, tmp_path: Path) -> None:
    workspace = Workspace(folder=tmp_path / "workspace", cluster=own_cluster)
    for chart in (pair.old, pair.new):
        workspace.forge(pair, chart, engine="flux", install=False, source="external", url=flux)
        done = workspace.program("push", "--git", "-q")
        assert done.returncode == 0, done.stdout + done.stderr
        done = workspace.program(*DEPLOY)
        assert done.returncode == 0, done.stdout + done.stderr
