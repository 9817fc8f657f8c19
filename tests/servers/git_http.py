"""Git repositories over smart HTTP: ``git http-backend`` behind a small server, with a login and faults on request."""

from __future__ import annotations

import base64
import os
import random
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "team", "s3cr3t-word"


@dataclass
class GitServer:
    """A running server. ``faults`` is the part of requests that fail, by a seed; ``asked`` has the path of each request."""

    url: str
    faults: float = 0.0
    hangs: bool = False
    seed: random.Random = field(default_factory=lambda: random.Random(20))
    asked: list[str] = field(default_factory=list)
    served: int = 0

    @property
    def address(self) -> str:
        """The address as a description has it."""
        return f"git+{self.url}"


@contextmanager
def serving(
    folder: Path, *, login: bool = False, protocol: Mapping[str, str] | None = None, certificate: Path | None = None
) -> Iterator[GitServer]:
    """Serve the repositories in ``folder``; ``protocol`` is added to the environment of ``git http-backend``,
    which sends a part of a repository otherwise, as public servers do."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    running = GitServer(url=f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}")
    server.git = running  # type: ignore[attr-defined]
    server.root = folder  # type: ignore[attr-defined]
    server.login = login  # type: ignore[attr-defined]
    server.protocol = dict(protocol or {})  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing about clients that were ended."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self._body())

    def _serve(self, body: bytes) -> None:
        git: GitServer = self.server.git  # type: ignore[attr-defined]
        git.asked.append(self.path)
        if git.hangs:
            threading.Event().wait(30)
        fault = git.seed.random() if git.faults else 1.0
        if fault < git.faults / 3:
            return self._answer(503, {}, b"busy\n")
        if fault < git.faults * 2 / 3:
            return self._reset()
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.server.login and self.headers.get("Authorization") != f"Basic {expected}":  # type: ignore[attr-defined]
            return self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'}, b"log in\n")
        status, headers, content = self._backend(body)
        git.served += len(content)
        if fault < git.faults:
            return self._answer(status, headers, content[: len(content) // 2], length=len(content))
        return self._answer(status, headers, content)

    def _backend(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.root),  # type: ignore[attr-defined]
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "uploadpack.allowFilter",
            "GIT_CONFIG_VALUE_0": "true",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
            **self.server.protocol,  # type: ignore[attr-defined]
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        return int(headers.pop("Status", "200").split()[0]), headers, content

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)
        if length is not None:
            self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def taking_pushes(folder: Path) -> Iterator[str]:
    """The address of an empty repository that takes pushes."""
    repository = folder / "repositories" / "stack.git"
    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", repository], check=True)
    subprocess.run(["git", "-C", repository, "config", "http.receivepack", "true"], check=True)
    with serving(folder / "repositories") as server:
        yield f"{server.url}/stack.git"
