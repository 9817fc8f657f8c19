"""A Kubernetes API server and its etcd, on free ports of this machine, for as long as a test wants them."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import urllib3
from tests.e2e.certificates import Certificates
from tests.servers import process
from tests.servers.process import Server

HOST = "127.0.0.1"


@contextlib.contextmanager
def control_plane(program: Path, certificates: Certificates, folder: Path) -> Iterator[urllib3.HTTPSConnectionPool]:
    """An empty cluster without nodes and controllers: connections to its API server, as one who may do everything.

    ``folder`` keeps the logs. Nothing of the servers is left when this ends.
    """
    store, peers, port = _free_ports(3)
    flags = _api_server_flags(certificates, store, port)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder / "etcd", ignore_errors=True)
        keeper = process.start("etcd", [program, "etcd", *_etcd_flags(folder / "etcd", store, peers)], folder)
        stack.callback(keeper.stop)
        etcd = stack.enter_context(urllib3.HTTPConnectionPool(HOST, store))
        _wait(keeper, etcd, "/health")
        api_server = process.start("kube-apiserver", [program, "kube-apiserver", *flags], folder)
        stack.callback(api_server.stop)
        pool = urllib3.HTTPSConnectionPool(
            HOST,
            port,
            maxsize=8,
            block=True,
            timeout=60,
            ca_certs=str(certificates.authority),
            cert_file=str(certificates.client),
            key_file=str(certificates.key(certificates.client)),
        )
        http = stack.enter_context(pool)
        _wait(api_server, http, "/readyz")
        yield http


def _wait(server: Server, http: urllib3.HTTPConnectionPool, path: str) -> None:
    """Return when the server answers that it is ready."""

    def is_ready() -> bool:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return http.request("GET", path, retries=False, timeout=2).status == 200
        return False

    server.wait_until(is_ready)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind((HOST, 0))
        return [int(listener.getsockname()[1]) for listener in sockets]


def _etcd_flags(data: Path, port: int, peer_port: int) -> list[str]:
    url, peer_url = f"http://{HOST}:{port}", f"http://{HOST}:{peer_port}"
    return [
        "--name=e2e",
        f"--data-dir={data}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=e2e={peer_url}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _api_server_flags(certificates: Certificates, store: int, port: int) -> list[str]:
    key = certificates.key(certificates.server)
    return [
        f"--etcd-servers=http://{HOST}:{store}",
        f"--bind-address={HOST}",
        f"--advertise-address={HOST}",
        f"--secure-port={port}",
        # No client looks for this server through the Service `kubernetes`.
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        f"--client-ca-file={certificates.authority}",
        f"--tls-cert-file={certificates.server}",
        f"--tls-private-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={certificates.server}",
        f"--service-account-signing-key-file={key}",
    ]
