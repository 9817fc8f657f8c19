"""A Kubernetes cluster for tests: an API server with its etcd, the controllers, the scheduler, and nodes that KWOK plays.

No container runs in it. What Pods would do is in `tests.e2e.nodes` and `tests.e2e.stand_in`; Argo CD and Flux run as processes
beside it (`tests.e2e.argocd`, `tests.e2e.flux`). A cluster that a kubeconfig names takes its place with ``--kubeconfig``.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import urllib3
import yaml
from tests.e2e import nodes, program
from tests.e2e.api_server import APPLY
from tests.e2e.certificates import Certificates
from tests.e2e.contents import Contents, Key
from tests.e2e.polling import until
from tests.e2e.servers import ControlPlane, free_ports
from tests.servers import process

from cluster_forge.manifests.manifest import Body

MANAGER = "cluster-forge-e2e"
OURS = frozenset({MANAGER, "cluster-forge", "argocd-controller", "kustomize-controller"})
"""Field managers, beside those of kubectl: ``kubectl``, ``kubectl-client-side-apply``, ``kubectl-create``, ``kubectl-run``."""
NODES = 3
STORAGE_CLASS: Body = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "kubernetes.io/host-path",
    "volumeBindingMode": "WaitForFirstConsumer",
}


@dataclass(kw_only=True)
class Cluster:
    """A running cluster. ``own`` are its processes; None if it is one that was there before the tests."""

    name: str
    kubeconfig: Path
    http: urllib3.HTTPConnectionPool
    own: ControlPlane | None = None
    nodes: int = NODES
    ground: frozenset[Key] = field(default=frozenset())
    """What is in it before a test, and stays."""

    def kubectl(self, *arguments: str | Path, given: str = "") -> str:
        """What kubectl prints.

        Raises:
            CalledProcessError: if it fails; what it printed is part of the exception's notes.
        """
        command = ["kubectl", f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if done.returncode:
            error = subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
            error.add_note(done.stderr)
            raise error
        return done.stdout

    def get(self, path: str) -> Any:
        """The object (or list) at a path of the API; None if it is not there."""
        answer = self.http.request("GET", path)
        if answer.status == 404:
            return None
        assert answer.status == 200, answer.data
        return orjson.loads(answer.data)

    def apply(self, path: str, body: Body, subresource: str = "") -> Any:
        """Server-side apply of an object at its path."""
        query = f"fieldManager={MANAGER}&force=true"
        place = f"{path}/{subresource}" if subresource else path
        answer = self.http.request("PATCH", f"{place}?{query}", body=orjson.dumps(body), headers=APPLY)
        assert answer.status in (200, 201), answer.data
        return orjson.loads(answer.data)

    @property
    def log(self) -> Path:
        """The log of every container (its lines: `nodes.log_line`); of an own cluster only."""
        assert self.own is not None
        return self.own.folder / "containers.log"

    @contextlib.contextmanager
    def without_api_server(self) -> Iterator[None]:
        """The time between the end of the API server, in the middle of what it does, and its new start."""
        assert self.own is not None
        self.own.stop_one("kube-apiserver")
        try:
            yield
        finally:
            self.own.start_api_server()

    def furnish(self) -> None:
        """Give it nodes and a StorageClass."""
        for number in range(self.nodes):
            body = nodes.node(number)
            path = f"/api/v1/nodes/{body['metadata']['name']}"
            self.apply(path, {key: value for key, value in body.items() if key != "status"})
            self.apply(path, body, "status")
        self.apply(f"/apis/storage.k8s.io/v1/storageclasses/{STORAGE_CLASS['metadata']['name']}", STORAGE_CLASS)

    def contents(self) -> frozenset[Key]:
        """The objects in it, but for those that come and go by themselves."""
        return Contents(self.http).keys()

    def clear(self) -> None:
        """Remove what a test left, and repair what it removed."""
        Contents(self.http).reduce_to(self.ground, is_ours=None if self.own else _is_ours)
        if self.own:
            self.furnish()


@contextlib.contextmanager
def side_by_side(make_folder: Callable[[str], Path], *names: str) -> Iterator[dict[str, Cluster]]:
    """New clusters of one node each, by their names; they start side by side, too."""
    with contextlib.ExitStack() as stack:

        def start(number: int, name: str, folder: Path) -> Cluster:
            return stack.enter_context(running(folder, name=name, number=number, size=1))

        # What has started ends also if another one does not start: the threads end before the stack does.
        with ThreadPoolExecutor(len(names)) as threads:
            clusters = threads.map(start, itertools.count(1), names, [make_folder(name) for name in names])
        yield dict(zip(names, clusters, strict=True))


@contextlib.contextmanager
def running(folder: Path, *, name: str = "e2e", number: int = 0, size: int = NODES) -> Iterator[Cluster]:
    """A new cluster, ready for Pods; several can run side by side, each with its ``number``.

    ``folder`` has its kubeconfig and logs. Its processes end with this one, however that ends.
    """
    services = f"10.{96 + number}.0.0/16"
    certificates = Certificates(folder, (nodes.ADDRESS, services.replace(".0/16", ".1")))
    plane = ControlPlane(program.build(), certificates, folder, services)
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(_kubeconfig(plane, name))
    kubeconfig.chmod(0o600)
    try:
        plane.start()
        _start_controllers(plane, kubeconfig, number)
        with plane.connections() as http:
            cluster = Cluster(name=name, kubeconfig=kubeconfig, http=http, own=plane, nodes=size)
            cluster.furnish()
            until(lambda: _is_ready(cluster), "nodes and ServiceAccounts are ready")
            cluster.ground = cluster.contents()
            yield cluster
    finally:
        plane.stop()


@contextlib.contextmanager
def foreign(kubeconfig: Path, folder: Path) -> Iterator[Cluster]:
    """The cluster of a kubeconfig's current context, through ``kubectl proxy``."""
    context = subprocess.run(
        ["kubectl", f"--kubeconfig={kubeconfig}", "config", "current-context"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with (
        proxied(kubeconfig, folder) as port,
        urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=8, block=True, timeout=60) as http,
    ):
        cluster = Cluster(name=context, kubeconfig=kubeconfig, http=http)
        cluster.ground = cluster.contents()
        yield cluster


@contextlib.contextmanager
def proxied(kubeconfig: Path, folder: Path) -> Iterator[int]:
    """A port of this machine at which ``kubectl proxy`` passes requests on to a cluster, with the kubeconfig's credentials."""
    proxy = process.start("proxy", ["kubectl", f"--kubeconfig={kubeconfig}", "proxy", "--port=0"], folder)
    try:
        listening = re.compile(rb"127\.0\.0\.1:(\d+)")
        proxy.wait_until(lambda: listening.search(proxy.log.read_bytes()) is not None)
        found = listening.search(proxy.log.read_bytes())
        assert found is not None
        yield int(found[1])
    finally:
        proxy.stop()


def _start_controllers(plane: ControlPlane, kubeconfig: Path, number: int) -> None:
    certificates, configuration, log = plane.certificates, plane.folder / "kwok.yaml", plane.folder / "containers.log"
    authority, authority_key = certificates.authority, certificates.key(certificates.authority)
    signing = certificates.key(certificates.server)
    log.write_text(nodes.log_line("the log of a container that does not run"))
    configuration.write_bytes(nodes.configuration(log))
    manager_port, scheduler_port, kubelet = free_ports(3)
    local = ["--bind-address=127.0.0.1", f"--kubeconfig={kubeconfig}", "--leader-elect=false"]
    plane.run(
        "kube-controller-manager",
        [
            *local,
            f"--secure-port={manager_port}",
            "--use-service-account-credentials=true",
            f"--service-account-private-key-file={signing}",
            f"--root-ca-file={authority}",
            f"--cluster-signing-cert-file={authority}",
            f"--cluster-signing-key-file={authority_key}",
            "--enable-hostpath-provisioner=true",
            "--controllers=*",
        ],
    )
    plane.run("kube-scheduler", [*local, f"--secure-port={scheduler_port}"])
    plane.run(
        "kwok",
        [
            f'--config="{configuration}"',  # a list that commas separate
            f"--kubeconfig={kubeconfig}",
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
            f"--cidr=10.{144 + number}.0.0/16",
            f"--node-ip={nodes.ADDRESS}",
            f"--node-port={kubelet}",
            f"--server-address={nodes.ADDRESS}:{kubelet}",
            f"--tls-cert-file={certificates.server}",
            f"--tls-private-key-file={certificates.key(certificates.server)}",
        ],
    )


def _kubeconfig(plane: ControlPlane, name: str) -> str:
    certificates = plane.certificates
    client = certificates.client
    user = {"client-certificate": str(client), "client-key": str(certificates.key(client))}
    place = {"server": plane.url, "certificate-authority": str(certificates.authority)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": place}],
        "users": [{"name": name, "user": user}],
    }
    return yaml.safe_dump(config, sort_keys=False)


def _is_ready(cluster: Cluster) -> bool:
    """Whether all nodes are ready, and Pods would find a ServiceAccount and the cluster's certificate."""
    ready = [
        condition["type"]
        for node in cluster.get("/api/v1/nodes")["items"]
        for condition in node.get("status", {}).get("conditions", ())
        if condition["type"] == "Ready" and condition["status"] == "True"
    ]
    needed = ("serviceaccounts/default", "configmaps/kube-root-ca.crt")
    spaces = [item["metadata"]["name"] for item in cluster.get("/api/v1/namespaces")["items"]]
    return len(ready) == cluster.nodes and all(
        cluster.get(f"/api/v1/namespaces/{space}/{path}") for space in spaces for path in needed
    )


def _is_ours(body: Body) -> bool:
    """Whether the tests, or a tool that they try, made an object."""
    managers = {entry.get("manager", "") for entry in body["metadata"].get("managedFields", ())}
    return any(manager in OURS or manager.startswith("kubectl") for manager in managers)
