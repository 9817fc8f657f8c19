"""A chart repository by HTTP on 127.0.0.1, for a test; with a login (Basic) if it is to want one."""

from __future__ import annotations

import base64
import contextlib
import http.server
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from tests.servers import threaded


class RepositoryServer:
    """Charts by name and version, and files by path; `asked` has the paths of all requests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self._entries: dict[str, list[Mapping[str, Any]]] = {}

    def publish(self, name: str, version: str, archive: bytes, **about: Any) -> None:
        """Publish a chart; ``about`` is more of its entry in the index."""
        self.files[f"/charts/{name}-{version}.tgz"] = archive
        entry = {"name": name, "version": version, "urls": [f"charts/{name}-{version}.tgz"], **about}
        self._entries.setdefault(name, []).append(entry)
        self.files["/index.yaml"] = yaml.safe_dump({"apiVersion": "v1", "entries": self._entries}).encode()


@contextlib.contextmanager
def serving(login: str = "") -> Iterator[RepositoryServer]:
    """A running repository; ``login`` is the ``user:password`` that it wants."""
    wanted = f"Basic {base64.b64encode(login.encode()).decode()}" if login else None

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            repository.asked.append(self.path)
            content = repository.files.get(self.path)
            if wanted not in (None, self.headers.get("Authorization")):
                content = None
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="charts"')
            else:
                self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        repository = RepositoryServer(server.server_port)
        with threaded.running(server):
            yield repository
