"""A Kubernetes API server and its etcd, on free ports of this machine, for as long as a test wants them."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import urllib3
from tests.e2e.certificates import Certificates

HOST = "127.0.0.1"
STARTS_WITHIN_SECONDS = 60
SHOWN_BYTES = 4000


class ServerDiedError(Exception):
    """A server ended, or was not ready in time; the message is the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A process of the control plane and where its log is."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, http: urllib3.HTTPConnectionPool, path: str) -> None:
        """Return when it answers that it is ready.

        Raises:
            ServerDiedError: if it ends, or is not ready in time.
        """
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if http.request("GET", path, retries=False, timeout=2).status == 200:
                    return
            time.sleep(0.05)
        tail = self.log.read_bytes()[-SHOWN_BYTES:].decode(errors="replace")
        raise ServerDiedError(f"{self.name} (exit code {self.process.poll()}) did not get ready:\n{tail}")


@contextlib.contextmanager
def control_plane(program: Path, certificates: Certificates, folder: Path) -> Iterator[urllib3.HTTPSConnectionPool]:
    """An empty cluster without nodes and controllers: connections to its API server, as one who may do everything.

    ``folder`` keeps the logs. Nothing of the servers is left when this ends.
    """
    store, peers, port = _free_ports(3)
    flags = _api_server_flags(certificates, store, port)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder / "etcd", ignore_errors=True)
        servers: list[Server] = []
        stack.callback(_stop, servers)
        servers.append(_started(program, "etcd", _etcd_flags(folder / "etcd", store, peers), folder))
        etcd = stack.enter_context(urllib3.HTTPConnectionPool(HOST, store))
        servers[0].wait_for(etcd, "/health")
        servers.append(_started(program, "kube-apiserver", flags, folder))
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
        servers[1].wait_for(http, "/readyz")
        yield http


def _started(program: Path, name: str, flags: Sequence[str], folder: Path) -> Server:
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        # The program ends with its standard input, and that with this process.
        process = subprocess.Popen(
            [program, name, *flags], stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=folder
        )
    return Server(name=name, process=process, log=log)


def _stop(servers: Sequence[Server]) -> None:
    """End them by force: there is nothing to save, and an API server takes seconds to end in peace, 15 without its etcd."""
    for server in reversed(servers):
        server.process.kill()
        server.process.wait()
        if server.process.stdin:
            server.process.stdin.close()


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
