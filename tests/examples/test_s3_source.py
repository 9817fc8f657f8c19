"""The example source, from the command line to the lock: a chart and a manifest in a store that checks signatures."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cluster_forge_s3_source.place import Place
from cluster_forge_s3_source.signature import Keys, signed

KEYS = Keys("id", "canary-secret")
DESCRIPTION = """
apiVersion: cluster-forge/v1
kind: Stack
name: s
components:
- {name: web, namespace: web, helm: {repository: "s3://charts/stable", chart: web, version: ">=1"}}
- {name: extras, namespace: extras, manifests: ["s3://manifests/extras.yaml"]}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"


def chart(version: str) -> bytes:
    files = {
        "web/Chart.yaml": f"apiVersion: v2\nname: web\nversion: {version}\n",
        "web/templates/a.yaml": MAP.replace("NAME", f"v{version}"),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            packed.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0)


class Store(ThreadingHTTPServer):
    """An object store with objects by their paths; one in ``busy`` is refused once with 503."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.busy: set[str] = set()
        self.asked: list[str] = []

    def publish(self, *versions: str) -> None:
        entries = ""
        for version in versions:
            content = chart(version)
            self.objects[f"/charts/stable/web-{version}.tgz"] = content
            digest = hashlib.sha256(content).hexdigest()
            entries += f"  - {{name: web, version: {version}, urls: [web-{version}.tgz], digest: {digest}}}\n"
        self.objects["/charts/stable/index.yaml"] = f"apiVersion: v1\nentries:\n  web:\n{entries}".encode()


class _Handler(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        code, content = 200, self.server.objects.get(self.path, b"")
        if self.path in self.server.busy:
            self.server.busy.remove(self.path)
            code = 503
        elif not self._is_signed():
            code = 403
        elif self.path not in self.server.objects:
            code = 404
        self.send_response(code)
        self.send_header("Content-Length", str(len(content) if code == 200 else 0))
        self.end_headers()
        self.wfile.write(content if code == 200 else b"")

    def _is_signed(self) -> bool:
        host = self.headers["Host"]
        place = Place(scheme="http", host=host, path=self.path, bucket="", region="us-east-1")
        time = datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return signed(place, KEYS, time)["Authorization"] == self.headers["Authorization"]

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests look at ``asked``."""


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as server:
        server.publish("1.0.0", "1.1.0")
        server.objects["/manifests/extras.yaml"] = MAP.replace("NAME", "extra").encode()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Workspace:
    def __init__(self, folder: Path, packages: Path, store: Store) -> None:
        self.folder = folder / "workspace"
        (self.folder / "input").mkdir(parents=True)
        (self.folder / "input/config.yaml").write_text(DESCRIPTION)
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(packages),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_STATE_HOME": str(folder / "state"),
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{store.server_port}",
            "AWS_ACCESS_KEY_ID": KEYS.identity,
            "AWS_SECRET_ACCESS_KEY": KEYS.secret,
            "NO_PROXY": "127.0.0.1",
        }
        self.environment.pop("AWS_REGION", None)

    def run(self, *arguments: str) -> tuple[int, Any]:
        finished = subprocess.run(
            [sys.executable, "-m", "cluster_forge", "-C", self.folder, *arguments, "--format", "json"],
            check=False,
            capture_output=True,
            text=True,
            env=self.environment,
        )
        assert KEYS.secret not in finished.stdout + finished.stderr
        return finished.returncode, json.loads(finished.stdout)


@pytest.fixture
def workspace(tmp_path: Path, packages: Path, store: Store) -> Workspace:
    return Workspace(tmp_path, packages, store)


def test_a_chart_and_a_manifest_are_fetched_locked_and_never_fetched_again(
    workspace: Workspace, store: Store, tmp_path: Path
) -> None:
    store.busy.add("/manifests/extras.yaml")
    code, document = workspace.run("forge")
    assert code == 0, document
    lock = (workspace.folder / "cluster-forge.lock").read_text()
    assert "s3://charts/stable web" in lock
    assert "1.1.0" in lock
    assert (workspace.folder / "working/web/configmap_web_v1.1.0.yaml").is_file()
    assert (workspace.folder / "working/extras/configmap_extras_extra.yaml").is_file()
    asked = len(store.asked)
    store.publish("1.0.0", "1.1.0", "1.2.0")
    assert workspace.run("forge", "--offline")[0] == 0
    assert len(store.asked) == asked
    assert workspace.run("mirror", "create", str(tmp_path / "mirror"))[0] == 0
    workspace.environment["XDG_CACHE_HOME"] = str(tmp_path / "other-cache")
    assert workspace.run("mine", "--offline", "--mirror", str(tmp_path / "mirror"))[0] == 0
    code, document = workspace.run("outdated")
    assert "1.2.0" in json.dumps(document)


def test_changed_bytes_are_an_error(workspace: Workspace, store: Store, tmp_path: Path) -> None:
    assert workspace.run("mine")[0] == 0
    store.objects["/manifests/extras.yaml"] += b"data: {}\n"
    workspace.environment["XDG_CACHE_HOME"] = str(tmp_path / "other-cache")
    code, document = workspace.run("mine")
    assert code == 12
    assert "has changed" in document["errors"][0]["message"]


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        ("AWS_SECRET_ACCESS_KEY", 13, "no access (403)"),
        ("offline", 14, "--offline: s3://"),
        ("missing", 13, "does not exist"),
        ("server", 13, "Connection refused"),
        ("packages", 40, "there is no source plug-in 's3' (no source plug-in is installed)"),
    ],
)
def test_what_cannot_be_fetched_is_an_error(
    workspace: Workspace, store: Store, change: str, code: int, reason: str
) -> None:
    if change == "AWS_SECRET_ACCESS_KEY":
        workspace.environment[change] = "another"
    elif change == "missing":
        store.objects.clear()
    elif change == "server":
        workspace.environment["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:1"
    elif change == "packages":
        workspace.environment["PYTHONPATH"] = ""
    found, document = workspace.run("mine", *(["--offline"] if change == "offline" else []))
    assert found == code, document
    assert all(reason in error["message"] for error in document["errors"]), document
    assert len(document["errors"]) == 2


def test_an_index_does_not_lead_to_another_scheme(workspace: Workspace, store: Store) -> None:
    store.objects["/charts/stable/index.yaml"] = (
        b"apiVersion: v1\nentries:\n  web: [{name: web, version: 1.0.0, urls: ['file:///etc/passwd', 'other://a/b.tgz']}]\n"
    )
    code, document = workspace.run("mine")
    assert code == 13
    assert "which is not followed: only s3:// is" in document["errors"][0]["message"]
