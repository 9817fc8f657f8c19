"""The adapter does on a real API server what every `Cluster` does."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml
from tests.adapters.kubernetes.cluster_contract import OURS, ClusterContract
from tests.e2e.api_server import ApiServer
from tests.e2e.certificates import Certificates
from tests.e2e.conftest import given

from cluster_forge import composition
from cluster_forge.composition import Settings
from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import Cluster
from cluster_forge.service_options import ClusterOptions

pytestmark = pytest.mark.e2e


RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """Clusters as `composition` makes them from a kubeconfig with this cluster and user, or with changes of them."""

    folder: Path
    cluster: Mapping[str, object]
    user: Mapping[str, object]

    def __call__(
        self, user: Mapping[str, object] | None = None, cluster: Mapping[str, object] = MappingProxyType({})
    ) -> Cluster:
        """``user`` instead of that of the kubeconfig; ``cluster`` has changes."""
        written = {
            "current-context": "tests",
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
            "clusters": [{"name": "tests", "cluster": {**self.cluster, **cluster}}],
            "users": [{"name": "tests", "user": dict(self.user if user is None else user)}],
        }
        file = self.folder / "config"
        file.write_text(yaml.safe_dump(written))
        return composition.cluster(Settings(workspace=Path.cwd()), ClusterOptions(kubeconfig=str(file)))


@pytest.fixture(scope="module")
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubeconfig]:
    """Of the API server of these tests, or of the cluster that is given."""
    folder = tmp_path_factory.mktemp("kubeconfig")
    if file := given(request.config):
        command = ["kubectl", f"--kubeconfig={file}", "config", "view", "--raw", "--minify", "--flatten", "-o", "json"]
        content = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        yield Kubeconfig(
            folder=folder, cluster=content["clusters"][0]["cluster"], user=content["users"][0].get("user") or {}
        )
        return
    server: ApiServer = request.getfixturevalue("shared_api_server")
    certificates: Certificates = request.getfixturevalue("certificates")
    place = f"https://{server._http.host}:{server._http.port}"
    yield Kubeconfig(
        folder=folder,
        cluster={"server": place, "certificate-authority": str(certificates.authority)},
        user=with_certificate(certificates),
    )
    server.clear()


def with_certificate(certificates: Certificates) -> Mapping[str, object]:
    client = certificates.client
    return {"client-certificate": str(client), "client-key": str(certificates.key(client))}


@pytest.fixture(scope="module")
def reached(kubeconfig: Kubeconfig) -> Cluster:
    return kubeconfig()


class TestContract(ClusterContract):
    @pytest.fixture
    def cluster(self, reached: Cluster) -> Cluster:
        return reached


@pytest.fixture
def jane(reached: Cluster, kubeconfig: Kubeconfig) -> Iterator[Cluster]:
    """The cluster as a user who may do everything with ConfigMaps, and nothing else."""
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]
    role = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": "contract-jane"}, "rules": rules}
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "contract-jane"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "contract-jane"},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "jane"}],
    }
    for body in (role, binding):
        reached.apply(body, OURS)
    yield kubeconfig({**kubeconfig.user, "as": "jane"})
    for body in (binding, role):
        reached.delete(ObjectId.of(body))


def test_a_user_without_permission_for_exactly_one_kind(jane: Cluster) -> None:
    maps, secrets = jane.served().find("", "ConfigMap"), jane.served().find("", "Secret")
    assert maps is not None
    assert secrets is not None
    assert jane.about().user == "jane"
    assert jane.can("patch", maps, "default")
    assert jane.can("list", maps)
    assert not jane.can("patch", secrets, "default")
    assert not jane.can("list", secrets)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "contract", "namespace": "default"}}
    with pytest.raises(RefusedError) as caught:
        jane.apply(secret, OURS)
    assert (caught.value.status, caught.value.reason) == (403, "Forbidden")
    assert 'User "jane" cannot patch resource "secrets"' in caught.value.message
    assert "Role" in str(caught.value.fix)


def test_a_certificate_of_another_authority(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="does not trust the client certificate, which cluster-forge-e2e issued"):
        kubeconfig(with_certificate(Certificates(tmp_path))).served()
    with pytest.raises(ClusterError, match="does not know the user 'tests'"):
        kubeconfig({"token": "nonsense"}).served()


def test_another_authority_than_that_of_the_server(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    others = base64.b64encode(Certificates(tmp_path).authority.read_bytes()).decode()
    with pytest.raises(ClusterError, match=r"was issued by .* on .*, but the kubeconfig trusts"):
        kubeconfig(cluster={"certificate-authority-data": others}).served()
