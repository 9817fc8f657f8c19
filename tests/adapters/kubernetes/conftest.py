"""What the tests of the adapter share: an environment without proxies, and access to a scripted server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.certificates import Authority, authority

from cluster_forge.adapters.kubernetes.access import Access, ClusterEntry, Pem, UserEntry
from cluster_forge.adapters.kubernetes.api_server import ApiServer
from cluster_forge.adapters.kubernetes.credentials import Credentials
from cluster_forge.adapters.kubernetes.transport import Patience, Transport

QUICK = Patience(connect=5, silence=2, whole=5, at_first=0.3, later=3, first_pause=0.001, longest_pause=0.002)

Reached = Callable[..., ApiServer]


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"), "Cluster Authority")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "kubeconfig"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def reached() -> Reached:
    """The API server at an address, for a user."""

    def reach(
        server: str,
        user: UserEntry | None = None,
        *,
        patience: Patience = QUICK,
        authority_file: Path | None = None,
        **cluster: str | bool,
    ) -> ApiServer:
        trusted = Pem(where=str(authority_file), file=authority_file) if authority_file else None
        entry = ClusterEntry(name="test", where="config", server=server, authority=trusted, **cluster)  # type: ignore[arg-type]
        access = Access(context="test", cluster=entry, user=user or UserEntry(name="me", where="config: users[0]"))
        return ApiServer(Transport(access, Credentials(access, {}), patience))

    return reach
