"""The adapter does on a real API server what every `Cluster` does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.adapters.kubernetes.cluster_contract import ClusterContract
from tests.e2e.api_server import ApiServer
from tests.e2e.certificates import Certificates

from cluster_forge import composition
from cluster_forge.composition import Settings
from cluster_forge.ports.cluster import Cluster
from cluster_forge.service_options import ClusterOptions

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def reached(
    shared_api_server: ApiServer, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A cluster as `composition` makes it from a kubeconfig."""
    folder = tmp_path_factory.mktemp("kubeconfig")
    server = f"https://{shared_api_server._http.host}:{shared_api_server._http.port}"
    user = {"client-certificate": str(certificates.client), "client-key": str(certificates.key(certificates.client))}
    written = {
        "current-context": "tests",
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        "clusters": [
            {"name": "tests", "cluster": {"server": server, "certificate-authority": str(certificates.authority)}}
        ],
        "users": [{"name": "tests", "user": user}],
    }
    file = folder / "config"
    file.write_text(yaml.safe_dump(written))
    yield composition.cluster(Settings(workspace=Path.cwd()), ClusterOptions(kubeconfig=str(file)))
    shared_api_server.clear()


class TestContract(ClusterContract):
    @pytest.fixture
    def cluster(self, reached: Cluster) -> Cluster:
        return reached
