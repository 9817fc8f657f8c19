"""The adapter does on a real API server what every `Cluster` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml
from tests.adapters.kubernetes.cluster_contract import OURS, ClusterContract
from tests.e2e.api_server import ApiServer
from tests.e2e.certificates import Certificates

from cluster_forge import composition
from cluster_forge.composition import Settings
from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import Cluster
from cluster_forge.service_options import ClusterOptions

pytestmark = pytest.mark.e2e


Kubeconfig = Callable[..., Cluster]
RBAC = "rbac.authorization.k8s.io"


@pytest.fixture(scope="module")
def kubeconfig(
    shared_api_server: ApiServer, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kubeconfig]:
    """Clusters as `composition` makes them from a kubeconfig, with changes of its user and its cluster."""
    folder = tmp_path_factory.mktemp("kubeconfig")
    server = f"https://{shared_api_server._http.host}:{shared_api_server._http.port}"
    own_user = {
        "client-certificate": str(certificates.client),
        "client-key": str(certificates.key(certificates.client)),
    }
    own_cluster = {"server": server, "certificate-authority": str(certificates.authority)}

    def connected(user: Mapping[str, object], cluster: Mapping[str, object] = MappingProxyType({})) -> Cluster:
        written = {
            "current-context": "tests",
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
            "clusters": [{"name": "tests", "cluster": {**own_cluster, **cluster}}],
            "users": [{"name": "tests", "user": {**own_user, **user}}],
        }
        file = folder / "config"
        file.write_text(yaml.safe_dump(written))
        return composition.cluster(Settings(workspace=Path.cwd()), ClusterOptions(kubeconfig=str(file)))

    yield connected
    shared_api_server.clear()


@pytest.fixture(scope="module")
def reached(kubeconfig: Kubeconfig) -> Cluster:
    return kubeconfig({})


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
    yield kubeconfig({"as": "jane"})
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
    others = Certificates(tmp_path)
    stranger = {"client-certificate": str(others.client), "client-key": str(others.key(others.client))}
    with pytest.raises(ClusterError, match="does not trust the client certificate, which cluster-forge-e2e issued"):
        kubeconfig(stranger).served()
    with pytest.raises(ClusterError, match="does not know the user 'tests'"):
        kubeconfig({"token": "nonsense", "client-certificate": None, "client-key": None}).served()


def test_another_authority_than_that_of_the_server(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    others = Certificates(tmp_path)
    with pytest.raises(ClusterError, match=r"was issued by cluster-forge-e2e on .*, but the kubeconfig trusts"):
        kubeconfig({}, {"certificate-authority": str(others.authority)}).served()
