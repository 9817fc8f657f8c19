"""A chart repository by HTTP on 127.0.0.1, for a test."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import yaml


class RepositoryServer:
    """Charts by name and version, and files by path; `asked` has the paths of all requests."""

    def __init__(self, port: int) -> None:
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
def serving() -> Iterator[RepositoryServer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            repository.asked.append(self.path)
            content = repository.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        repository = RepositoryServer(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield repository
        finally:
            server.shutdown()
            thread.join()
