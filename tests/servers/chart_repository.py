"""A chart repository by HTTP that wants a user and a password (Basic)."""

from __future__ import annotations

import base64
import contextlib
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml


class ChartRepository(ThreadingHTTPServer):
    """Charts by name and version; ``login`` is ``user:password``."""

    daemon_threads = True

    def __init__(self, charts: Mapping[tuple[str, str], bytes], login: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.authorization = f"Basic {base64.b64encode(login.encode()).decode()}"
        entries: dict[str, list[dict[str, object]]] = {}
        self.files: dict[str, bytes] = {}
        for (name, version), archive in charts.items():
            path = f"{name}-{version}.tgz"
            entries.setdefault(name, []).append({"name": name, "version": version, "urls": [path]})
            self.files[f"/{path}"] = archive
        self.files["/index.yaml"] = yaml.safe_dump({"apiVersion": "v1", "entries": entries}).encode()


@contextlib.contextmanager
def with_password(charts: Mapping[tuple[str, str], bytes], login: str) -> Iterator[ChartRepository]:
    """A running repository."""
    with ChartRepository(charts, login) as repository:
        thread = threading.Thread(target=repository.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield repository
        finally:
            repository.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChartRepository

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != self.server.authorization:
            self._answer(401, b"", {"WWW-Authenticate": 'Basic realm="charts"'})
        else:
            content = self.server.files.get(self.path)
            self._answer(404 if content is None else 200, content or b"", {})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
