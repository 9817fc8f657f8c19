"""Servers for tests: each is started once by a process of the tests, when a test asks for it first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers import registry
from tests.servers.go_program import CannotBuildError
from tests.servers.registry import Registry


@pytest.fixture(scope="session")
def registry_program() -> Path:
    """Distribution's registry; a test that asks for it, or for one that runs, counts as marked ``registry``."""
    try:
        return registry.PROGRAM.build()
    except CannotBuildError as error:
        pytest.skip(f"starts a registry, which cannot be built: {error}")


@pytest.fixture(scope="session")
def open_registry(registry_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry in which everyone may do everything. It is shared: a test takes repositories of its own."""
    with registry.without_login(tmp_path_factory.mktemp("open-registry")) as running:
        yield running


@pytest.fixture(scope="session")
def password_registry(registry_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The same with Basic authentication."""
    with registry.with_password(tmp_path_factory.mktemp("password-registry")) as running:
        yield running


@pytest.fixture(scope="session")
def token_registry(registry_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The same with tokens, and a server of the tests that signs them."""
    with registry.with_tokens(tmp_path_factory.mktemp("token-registry")) as running:
        yield running
