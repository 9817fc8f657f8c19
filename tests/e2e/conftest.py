"""A control plane, emptied after each test, and stacks to try on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.corpus.conftest import Workspaces
from tests.e2e import program
from tests.e2e.api_server import ApiServer
from tests.e2e.certificates import Certificates
from tests.e2e.servers import control_plane


@pytest.fixture(scope="session")
def workspaces(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Workspaces:
    return Workspaces(tmp_path_factory.mktemp("e2e"), corpus)


@pytest.fixture(scope="session")
def control_plane_program() -> Path:
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
    """One that is empty: what another stack left would hide what this one lacks."""
    yield shared_api_server
    shared_api_server.clear()
