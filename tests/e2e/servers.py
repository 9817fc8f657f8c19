"""A Kubernetes API server and its etcd, on free ports of this machine, for as long as a test wants them."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import urllib3
from tests.e2e.certificates import Certificates
from tests.servers import process
from tests.servers.process import Server

HOST = "127.0.0.1"
CONNECTIONS = 8
ROOMY = {"GOGC": "400", "GOMEMLIMIT": "5GiB"}
"""Memory for time: with Go's defaults the API server collects garbage in a third of its CPU seconds (21 instead of 31 for four
stacks with CRDs). Above the limit the collector works as always. Source: "A Guide to the Go Garbage Collector".
"""


_PORTS = itertools.count(20_000)
"""Below those of outgoing connections (from 32768; ip(7), ``ip_local_port_range``): while a server starts, or is away for a
while, one of them could take its port, even a connection of a client that looks for that very server.
"""


class ControlPlane:
    """An etcd and an API server; ``folder`` has etcd's data, and keeps the logs.

    The second address of ``services`` is that of the API server's own Service, for which nothing listens.
    """

    def __init__(self, program: Path, certificates: Certificates, folder: Path, services: str = "10.96.0.0/16") -> None:
        self.program = program
        self.certificates = certificates
        self.folder = folder
        self.services = services
        self.store, self._peers, self.port = free_ports(3)
        self._servers: dict[str, Server] = {}

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    def start(self) -> None:
        """Start both, with what etcd has already."""
        store = self.run("etcd", _etcd_flags(self.folder / "etcd", self.store, self._peers))
        with urllib3.HTTPConnectionPool(HOST, self.store) as etcd:
            wait_for(store, etcd, "/health")
        self.start_api_server()

    def start_api_server(self) -> None:
        """Start the API server, and return when it is ready."""
        flags = _api_server_flags(self.certificates, self.store, self.port, self.services)
        api_server = self.run("kube-apiserver", flags)
        with self.connections() as http:
            wait_for(api_server, http, "/readyz")

    def run(self, name: str, flags: list[str], program: str = "") -> Server:
        """Start one of the servers of the program, until `stop`; ``name`` is that of its log."""
        server = self._servers[name] = process.start(
            name, [self.program, program or name, *flags], self.folder, {**ROOMY, **os.environ}
        )
        return server

    def stop_one(self, name: str) -> None:
        """End a server at once, in the middle of what it does."""
        self._servers.pop(name).stop()

    def stop(self) -> None:
        """End them all, the last one first, and remove etcd's data."""
        for name in reversed(list(self._servers)):
            self.stop_one(name)
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)

    def connections(self, most: int = CONNECTIONS) -> urllib3.HTTPSConnectionPool:
        """Connections to the API server, as one who may do everything; at most so many at once."""
        client = self.certificates.client
        return urllib3.HTTPSConnectionPool(
            HOST,
            self.port,
            maxsize=most,
            block=True,
            timeout=60,
            ca_certs=str(self.certificates.authority),
            cert_file=str(client),
            key_file=str(self.certificates.key(client)),
        )


@contextlib.contextmanager
def control_plane(program: Path, certificates: Certificates, folder: Path) -> Iterator[urllib3.HTTPSConnectionPool]:
    """An empty cluster without nodes and controllers. Nothing of the servers is left when this ends."""
    running = ControlPlane(program, certificates, folder)
    try:
        running.start()
        with running.connections() as http:
            yield http
    finally:
        running.stop()


def wait_for(server: Server, http: urllib3.HTTPConnectionPool, path: str) -> None:
    """Return when the server answers that it is ready."""

    def is_ready() -> bool:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return http.request("GET", path, retries=False, timeout=2).status == 200
        return False

    server.wait_until(is_ready)


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens; this process gets none of them twice."""
    ports: list[int] = []
    while len(ports) < count:
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind((HOST, next(_PORTS)))
            ports.append(int(listener.getsockname()[1]))
    return ports


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


def _api_server_flags(certificates: Certificates, store: int, port: int, services: str) -> list[str]:
    key, proxy = certificates.key(certificates.server), certificates.front_proxy
    return [
        f"--etcd-servers=http://{HOST}:{store}",
        f"--bind-address={HOST}",
        f"--advertise-address={HOST}",
        f"--secure-port={port}",
        # No client looks for this server through the Service `kubernetes`.
        "--endpoint-reconciler-type=none",
        f"--service-cluster-ip-range={services}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        f"--client-ca-file={certificates.authority}",
        f"--tls-cert-file={certificates.server}",
        f"--tls-private-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={certificates.server}",
        f"--service-account-signing-key-file={key}",
        f"--requestheader-client-ca-file={certificates.authority}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={proxy}",
        f"--proxy-client-key-file={certificates.key(proxy)}",
    ]
