"""An API server that answers what a test says, over HTTP or HTTPS on 127.0.0.1."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers import threaded

DISCOVERY = {
    "/api": {
        "kind": "APIGroupDiscoveryList",
        "items": [
            {
                "metadata": {},
                "versions": [
                    {
                        "version": "v1",
                        "resources": [
                            {
                                "resource": "configmaps",
                                "responseKind": {"group": "", "version": "v1", "kind": "ConfigMap"},
                                "scope": "Namespaced",
                                "verbs": ["get", "list", "patch", "watch"],
                            },
                            {
                                "resource": "pods",
                                "responseKind": {"group": "", "version": "v1", "kind": "Pod"},
                                "scope": "Namespaced",
                                "verbs": ["get", "list"],
                                "subresources": [{"subresource": "log"}, {"subresource": "status"}],
                            },
                        ],
                    }
                ],
            }
        ],
    },
    "/apis": {"kind": "APIGroupDiscoveryList", "items": []},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request; the names of its headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    certificate: str = ""
    """The common name of the client's certificate, if it showed one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """``content`` is JSON, text, or (a list of JSON) the lines of a watch. ``ends``: bytes after which the connection ends."""

    content: object = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    ends: int | None = None
    holds: bool = False
    """Nothing more comes after the content until the test ends."""


def status(code: int, reason: str, message: str = "no", **more: Any) -> Reply:
    """A refusal as Kubernetes writes it."""
    content = {"kind": "Status", "apiVersion": "v1", "code": code, "reason": reason, "message": message, **more}
    return Reply(content=content, status=code)


class ScriptedServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: Callable[[Received], Reply], certificate: Path | None, clients: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.received: list[Received] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._context: ssl.SSLContext | None = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
            if clients:
                self._context.load_verify_locations(clients)
                self._context.verify_mode = ssl.CERT_OPTIONAL

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.server_port}"

    def finish_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        self.connections += 1
        if self._context is None:
            super().finish_request(request, client_address)
            return
        with self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secure:
            secure.do_handshake()
            super().finish_request(secure, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""

    def paths(self) -> Sequence[str]:
        """What was asked, without discovery."""
        return [f"{one.method} {one.path}" for one in self.received if one.path not in DISCOVERY]


@contextlib.contextmanager
def serving(
    answer: Callable[[Received], Reply], certificate: Path | None = None, clients: Path | None = None
) -> Iterator[ScriptedServer]:
    """A running server; discovery is answered for it. With ``clients`` their certificates are asked for."""
    with ScriptedServer(answer, certificate, clients) as server, threaded.running(server):
        try:
            yield server
        finally:
            server.stopped.set()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ScriptedServer

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        received = self._received()
        self.server.received.append(received)
        reply = Reply(content=DISCOVERY[received.path]) if received.path in DISCOVERY else self.server.answer(received)
        content, is_text = reply.content, isinstance(reply.content, str | bytes)
        if isinstance(content, list):
            self._send(reply, b"".join(json.dumps(line).encode() + b"\n" for line in content), "application/json")
        elif is_text:
            self._send(reply, content if isinstance(content, bytes) else str(content).encode(), "text/plain")
        else:
            self._send(reply, json.dumps(content).encode(), "application/json")

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names that Python's server looks for

    def _received(self) -> Received:
        path, _, query = self.path.partition("?")
        shown: Any = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        names = [value for part in (shown or {}).get("subject", ()) for key, value in part if key == "commonName"]
        return Received(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            certificate=str(names[0]) if names else "",
        )

    def _send(self, reply: Reply, content: bytes, kind: str) -> None:
        if reply.ends == 0:
            self.close_connection = True
            return
        is_stream = isinstance(reply.content, list)
        self.send_response(reply.status)
        self.send_header("Content-Type", kind)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if is_stream:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: reply.ends])
        self.wfile.flush()
        if reply.holds:
            self.server.stopped.wait(10)
        self.close_connection = is_stream or reply.ends is not None
