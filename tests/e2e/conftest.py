"""A control plane and a whole cluster, each emptied after a test, and stacks to try on them.

`cluster` and what is built on it work on any cluster (``--kubeconfig``); what needs processes beside the cluster is skipped there.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.corpus.conftest import Workspaces
from tests.e2e import argocd as argocd_processes
from tests.e2e import evidence, network, program
from tests.e2e.api_server import ApiServer
from tests.e2e.certificates import Certificates
from tests.e2e.cluster import Cluster, foreign, running
from tests.e2e.servers import control_plane
from tests.e2e.stacks import Forged, Shop
from tests.e2e.stand_in.running import running as stand_in_running
from tests.e2e.stand_in.webhooks import Webhooks

FOREIGN = (
    "needs a control plane of its own, and runs on the cluster of --kubeconfig: `make e2e` without it runs this test"
)
OUTSIDE = "the test cluster needs a network of its own: `make e2e` gives it (PYTEST_ARGS='-k …' for some of its tests)"


def given(config: pytest.Config) -> Path | None:
    """The kubeconfig of a cluster that is not the tests' own."""
    path = config.getoption("--kubeconfig")
    return Path(path).absolute() if path else None


@pytest.fixture(scope="session")
def workspaces(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Workspaces:
    return Workspaces(tmp_path_factory.mktemp("e2e"), corpus)


@pytest.fixture(scope="session")
def control_plane_program(pytestconfig: pytest.Config) -> Path:
    """The program of the servers; a test that asks for it, or for what runs it, is skipped on a cluster that is given."""
    if given(pytestconfig):
        pytest.skip(FOREIGN)
    if not network.is_inside():
        pytest.fail(OUTSIDE, pytrace=False)
    return program.build()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def shared_api_server(
    control_plane_program: Path, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    with control_plane(control_plane_program, certificates, tmp_path_factory.mktemp("control-plane")) as http:
        yield ApiServer(http)


@pytest.fixture
def api_server(shared_api_server: ApiServer) -> Iterator[ApiServer]:
    """An API server alone, without controllers, that is empty: what another stack left would hide what this one lacks."""
    yield shared_api_server
    shared_api_server.clear()


@pytest.fixture(scope="session")
def shared_cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster,")  # a list to some programs
    if kubeconfig := given(request.config):
        with foreign(kubeconfig, folder) as cluster:
            yield cluster
    else:
        request.getfixturevalue("control_plane_program")
        with running(folder) as cluster:
            yield cluster


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster with controllers and nodes; what a test leaves in it is removed."""
    yield shared_cluster
    shared_cluster.clear()


@pytest.fixture(scope="session")
def forged(shared_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Forged:
    """The stack ``shop`` in a workspace of its own for each version, fate and engine; forged once."""

    @functools.cache
    def forge(**options: Any) -> Shop:
        shop = Shop(workspace=tmp_path_factory.mktemp("shop") / "workspace", cluster=shared_cluster)
        shop.forge(**options)
        return shop

    return forge


@pytest.fixture
def own_cluster(control_plane_program: Path, cluster: Cluster) -> Cluster:
    """The same, whose processes a test may stop; not one that is given."""
    return cluster


@pytest.fixture
def stand_in(own_cluster: Cluster, tmp_path: Path) -> Iterator[Webhooks]:
    """What Pods would do: webhooks, names, operators' status, Git servers."""
    with stand_in_running(own_cluster, tmp_path) as webhooks:
        yield webhooks


@pytest.fixture
def argocd(own_cluster: Cluster, stand_in: Webhooks, tmp_path: Path) -> Iterator[str]:
    """An Argo CD that was installed before the stack; its namespace."""
    argocd_processes.install(own_cluster)
    with argocd_processes.running(own_cluster, tmp_path):
        yield argocd_processes.NAMESPACE


@pytest.fixture
def argocd_when_delivered(own_cluster: Cluster, stand_in: Webhooks, tmp_path: Path) -> Iterator[str]:
    """Argo CD's processes for an Argo CD that the test delivers, as soon as it is there; its namespace."""
    with argocd_processes.running(own_cluster, tmp_path):
        yield argocd_processes.NAMESPACE


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what is left of a test that failed, before its servers end."""
    report = yield
    folder, cluster = (item.funcargs.get(name) for name in ("tmp_path", "cluster"))
    if report.when == "call" and report.failed and isinstance(folder, Path):
        report.sections += evidence.of(folder, cluster if isinstance(cluster, Cluster) else None)
    return report
