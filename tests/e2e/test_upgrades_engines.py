"""Upgrades of real charts through the engines, on the pairs of `test_upgrades`: what server-side apply leaves in a CRD, and a
StatefulSet that cannot change.

One pair through each engine runs always, all of them by `deploy` and by ``deploy.sh`` with ``--upgrades``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.e2e import flux as flux_processes
from tests.e2e import upgrades
from tests.e2e.cluster import Cluster
from tests.e2e.stand_in.webhooks import Webhooks
from tests.e2e.test_upgrades import REFUSED, WAYS, Workspace
from tests.e2e.upgrades import Chart, Pair
from tests.servers import git_http

pytestmark = [pytest.mark.e2e, pytest.mark.corpus]
ENGINES = {"argo_cd": "openbao", "flux": "external-secrets"}
"""The fixture of each engine, and the pair that goes through it always."""
Publish = Callable[[Pair, Chart], None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("--upgrades")
    # What cannot change is known to `deploy` before it changes anything; deploy.sh leaves objects to the engine.
    chosen = [
        (engine, pair, way)
        for engine, typical in ENGINES.items()
        for pair in upgrades.pairs()
        for way in (WAYS if every else ["deploy"])
        if (every or pair.old.name == typical) and (way == "deploy" or pair.old.name not in REFUSED)
    ]
    metafunc.parametrize(("engine", "pair", "way"), chosen, ids=str)


@pytest.fixture
def workspace(own_cluster: Cluster, stand_in: Webhooks, tmp_path: Path) -> Workspace:
    return Workspace(folder=tmp_path / "workspace", cluster=own_cluster)


@pytest.fixture
def argo_cd(workspace: Workspace, argocd: str) -> Publish:
    """An Argo CD that reads the stack from the Git server in the cluster."""

    def publish(pair: Pair, chart: Chart) -> None:
        workspace.forge(pair, chart, engine="argocd", install=False)
        settings = workspace.stack / "bootstrap" / "argocd-settings.yaml"
        workspace.cluster.kubectl("apply", "--server-side", "-n", argocd, "-f", settings)

    return publish


@pytest.fixture
def flux(workspace: Workspace, tmp_path: Path) -> Iterator[Publish]:
    """A Flux that reads the stack from a Git server to which it is pushed."""
    with flux_processes.running(workspace.cluster, tmp_path), git_http.taking_pushes(tmp_path) as url:

        def publish(pair: Pair, chart: Chart) -> None:
            workspace.forge(pair, chart, engine="flux", install=False, source="external", url=url)
            done = workspace.program("push", "--git", "-q")
            assert done.returncode == 0, done.stdout + done.stderr

        yield publish


def test_an_engine_puts_the_new_version_in_the_place_of_the_old_one(
    engine: str, pair: Pair, way: str, workspace: Workspace, request: pytest.FixtureRequest
) -> None:
    publish: Publish = request.getfixturevalue(engine)
    publish(pair, pair.old)
    done = workspace.deploy(way)
    assert done.returncode == 0, done.stdout + done.stderr
    publish(pair, pair.new)
    done = workspace.deploy(way)
    if pair.old.name in REFUSED:
        assert done.returncode == 54, done.stdout + done.stderr
        assert all(words in done.stderr for words in (*REFUSED[pair.old.name], "--recreate"))
        done = workspace.deploy(way, "--recreate")
    assert done.returncode == 0, done.stdout + done.stderr
