"""`mine` of a stack whose charts are some milliseconds away: how much of the waiting is hidden by working."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import io
import json
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tools.bench.cases import PROGRAM
from tools.bench.measure import run
from tools.bench.steps import Key, Step

SOURCES = 58
_REPOSITORIES = 20
SECONDS = 0.05
"""The time between a request and its response."""
CHAIN = 2 * SECONDS
"""The slowest chain: an index, and after it an archive."""
HERE: Key = ("network", "mine", "here")
AWAY: Key = ("network", "mine", "50 ms away")

_TEMPLATE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n"


def mine(folder: Path, extra: Sequence[str]) -> Iterator[Step]:
    """`mine` in new workspaces and with empty stores, from a server that answers at once, and from one that does not.

    Raises:
        RuntimeError: if one of them fails.
    """
    files = _repositories()
    for (case, verb, state), seconds in ((HERE, 0.0), (AWAY, SECONDS)):
        with _serving(files, seconds) as address:
            workspace = folder / state
            (workspace / "input").mkdir(parents=True)
            (workspace / "input" / "config.yaml").write_text(json.dumps(_description(address)), encoding="utf-8")
            common = ("--store", str(workspace / "store"), "--quiet", "--format", "json")
            done = run([PROGRAM, "-C", workspace, verb, *common, *extra])
            yield Step(case=case, verb=verb, state=state, run=done, objects=json.loads(done.out)["objects"])


def _description(address: str) -> Mapping[str, object]:
    components = [
        {
            "name": f"chart-{number}",
            "namespace": "bench",
            "helm": {"repository": f"{address}/{number % _REPOSITORIES}", "chart": f"chart-{number}", "version": "^1"},
        }
        for number in range(SOURCES)
    ]
    head = {"apiVersion": "cluster-forge/v1", "kind": "Stack", "name": "network", "gitops": {"engine": "none"}}
    return {**head, "components": components}


def _repositories() -> Mapping[str, bytes]:
    """The files of the repositories by their paths."""
    entries: list[dict[str, list[Mapping[str, object]]]] = [{} for _ in range(_REPOSITORIES)]
    files = {}
    for number in range(SOURCES):
        name, repository = f"chart-{number}", number % _REPOSITORIES
        archive = _archive(name)
        files[f"/{repository}/{name}.tgz"] = archive
        digest = hashlib.sha256(archive).hexdigest()
        entries[repository][name] = [{"version": "1.0.0", "urls": [f"{name}.tgz"], "digest": digest}]
    for repository, charts in enumerate(entries):
        files[f"/{repository}/index.yaml"] = json.dumps({"apiVersion": "v1", "entries": charts}).encode()
    return files


def _archive(name: str) -> bytes:
    buffer = io.BytesIO()
    parts = {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n", "templates/map.yaml": _TEMPLATE}
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for path, text in parts.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(text)
            packed.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


@contextlib.contextmanager
def _serving(files: Mapping[str, bytes], seconds: float) -> Iterator[str]:
    """The address of a server of these files, for as long as the context lasts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            time.sleep(seconds)
            content = files[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
