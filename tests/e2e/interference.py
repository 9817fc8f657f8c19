"""A server between a client and the API server, in which requests fail by seed: the real one does not fail when it is asked to.

It has the credentials of one who may do everything, and speaks HTTP, or TLS with a certificate that can change. Requests of
other clients (controllers, nodes) do not pass it.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import urllib3
import yaml
from tests.e2e.cluster import Cluster
from tests.e2e.servers import HOST
from tests.servers import threaded

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "host", "accept-encoding"}
CONNECTIONS = 64


class Fault(StrEnum):
    """What goes wrong with a request; it is passed on only where its answer is lost."""

    TOO_MANY = "429 with Retry-After, as of priority and fairness"
    UNAVAILABLE = "503, as of a server that starts"
    LOST = "it is executed, and the connection is reset before its answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interference:
    """``share`` (0 to 1) of all requests fail, each with one of ``kinds``; a watch is cut after at most ``watch`` seconds.

    ``version`` is answered as that of the server (``v1.25.3``); a server before 1.26 has no aggregated discovery (KEP-3352).
    """

    seed: int = 0
    share: float = 0.0
    kinds: Sequence[Fault] = tuple(Fault)
    watch: float = 0.0
    version: str = ""

    def of(self, request: str, attempt: int) -> Fault | None:
        """What happens to a request that comes for the ``attempt``-th time."""
        chance = random.Random(f"{self.seed} {request} {attempt}")
        return chance.choice(list(self.kinds)) if chance.random() < self.share else None


class Relay(ThreadingHTTPServer):
    """Passes requests on to a cluster; `failed` counts those that it let fail, `cut` the watches that it cut, `requests` all."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, cluster: Cluster, interference: Interference, certificate: Path | None) -> None:
        super().__init__((HOST, 0), _Handler)
        assert cluster.own is not None
        self.interference = interference
        self.failed: Counter[Fault] = Counter()
        self.cut = 0
        self.requests = 0
        self.upstream = cluster.own.connections(CONNECTIONS)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if certificate else None
        self._attempts: Counter[str] = Counter()
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        if certificate:
            self.show(certificate)

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://{HOST}:{self.server_port}"

    def show(self, certificate: Path) -> None:
        """Prove its identity by another certificate from now on; all connections end."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self._context = context
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def next_fault(self, request: str) -> Fault | None:
        with self._guard:
            self.requests += 1
            self._attempts[request] += 1
            fault = self.interference.of(request, self._attempts[request])
            if fault:
                self.failed[fault] += 1
            return fault

    def count_cut(self) -> None:
        with self._guard:
            self.cut += 1

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake is made on the connection's own thread: a client that is silent holds up nobody."""
        connection = self._context.wrap_socket(request, server_side=True) if self._context else request
        with self._guard:
            self._open.add(connection)
        try:
            super().finish_request(connection, client_address)
        finally:
            with self._guard:
                self._open.discard(connection)
            connection.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


@contextlib.contextmanager
def before(cluster: Cluster, interference: Interference, certificate: Path | None = None) -> Iterator[Relay]:
    """A running relay; with a ``certificate`` (beside its key) by TLS."""
    with Relay(cluster, interference, certificate) as relay, threaded.running(relay):
        yield relay


def kubeconfig(relay: Relay, folder: Path, authority: Path | None = None) -> Path:
    """The kubeconfig of one who reaches the cluster through the relay."""
    place = {"server": relay.url, **({"certificate-authority": str(authority)} if authority else {})}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "relay",
        "contexts": [{"name": "relay", "context": {"cluster": "relay", "user": "relay"}}],
        "clusters": [{"name": "relay", "cluster": place}],
        "users": [{"name": "relay", "user": {}}],
    }
    file = folder / "kubeconfig-of-the-relay"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    return file


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Relay

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path, _, query = self.path.partition("?")
        interference = self.server.interference
        fault = self.server.next_fault(f"{self.command} {path}")
        if fault in (Fault.TOO_MANY, Fault.UNAVAILABLE):
            self._refuse(fault)
        elif path == "/version" and interference.version:
            self._answer(200, {"Content-Type": "application/json"}, _version(interference.version))
        elif "watch=" in query:
            self._watch()
        else:
            answer = self._passed_on(body, preload_content=True)
            if fault is Fault.LOST:
                self._break()
            else:
                self._answer(answer.status, answer.headers, answer.data)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names that Python's server looks for

    def _passed_on(self, body: bytes, *, preload_content: bool) -> urllib3.BaseHTTPResponse:
        headers = {name: text for name, text in self.headers.items() if name.lower() not in HOP_BY_HOP}
        if self.server.interference.version and self.path.partition("?")[0] in ("/api", "/apis"):
            headers["Accept"] = "application/json"
        return self.server.upstream.request(
            self.command, self.path, body=body, headers=headers, preload_content=preload_content, retries=False
        )

    def _watch(self) -> None:
        """Pass a watch on as it comes, and cut it in the middle of what it says, if watches are cut."""
        answer = self._passed_on(b"", preload_content=False)
        seconds = self.server.interference.watch
        cut = threading.Timer(seconds * random.Random(self.path).uniform(0.1, 1), self._cut) if seconds else None
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            if cut:
                cut.start()
            while part := answer.read1(1 << 16):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        except (OSError, urllib3.exceptions.HTTPError):
            self.close_connection = True
        finally:
            if cut:
                cut.cancel()
            answer.close()

    def _cut(self) -> None:
        self.server.count_cut()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _refuse(self, fault: Fault) -> None:
        """As Kubernetes refuses what is too much for it, or what comes too early."""
        code, reason = (429, "TooManyRequests") if fault is Fault.TOO_MANY else (503, "ServiceUnavailable")
        wait = {"Retry-After": "1"} if fault is Fault.TOO_MANY and random.Random(self.path).random() < 0.1 else {}
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
        self._answer(code, {"Content-Type": "application/json", **wait}, json.dumps(status).encode())

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, text in headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _break(self) -> None:
        """End the connection by a reset: the close does not linger."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def _version(version: str) -> bytes:
    major, minor, *_ = version.removeprefix("v").split(".")
    return orjson.dumps({"major": major, "minor": minor, "gitVersion": version})
