"""A stand-in for Flux's source-controller, which cannot be built here: GitRepositories at a tag, as archives over HTTP.

It follows ``spec.ref.tag``, packs the commit, and writes the artifact and the condition ``Ready`` into the status; nothing else of
the real one (no branches, no OCIRepository, no verification). Source: Flux, "Git Repositories", "Artifact".
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import urllib3
from tests.e2e.cluster import Cluster
from tests.e2e.servers import HOST
from tests.e2e.stand_in.operators import MERGE_PATCH

from cluster_forge.manifests.manifest import Body

REPOSITORIES = "/apis/source.toolkit.fluxcd.io/v1/gitrepositories"
REQUESTED = "reconcile.fluxcd.io/requestedAt"
PAUSE_SECONDS = 0.5


@contextlib.contextmanager
def running(cluster: Cluster, folder: Path) -> Iterator[None]:
    """Do its work as long as a test wants it; ``folder`` gets the archives."""
    archives = folder / "artifacts"
    archives.mkdir()
    server = ThreadingHTTPServer((HOST, 0), functools.partial(_Quiet, directory=str(archives)))
    sources = _Sources(cluster, archives, f"http://{HOST}:{server.server_port}")
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(PAUSE_SECONDS):
            with contextlib.suppress(urllib3.exceptions.HTTPError, AssertionError):
                sources.work()

    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True),
        threading.Thread(target=work, name="source-controller", daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        server.shutdown()
        for thread in threads:
            thread.join()
        server.server_close()


class _Sources:
    def __init__(self, cluster: Cluster, folder: Path, url: str) -> None:
        self._cluster, self._folder, self._url = cluster, folder, url
        self._done: dict[str, tuple[object, object]] = {}

    def work(self) -> None:
        """Look at every source that has changed, or is to be looked at again."""
        for source in (self._cluster.get(REPOSITORIES) or {"items": []})["items"]:
            metadata = source["metadata"]
            asked = metadata["generation"], metadata.get("annotations", {}).get(REQUESTED)
            if self._done.get(metadata["uid"]) != asked and self._reconcile(source):
                self._done[metadata["uid"]] = asked

    def _reconcile(self, source: Body) -> bool:
        """Whether its commit could be had; if not, the next look tries again."""
        tag = source["spec"]["ref"]["tag"]
        try:
            artifact = self._artifact(source["metadata"]["uid"], source["spec"]["url"], tag)
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()
            self._write(source, False, "GitOperationFailed", f"failed to checkout and determine revision: {said}")
            return False
        self._write(source, True, "Succeeded", f"stored artifact for revision '{artifact['revision']}'", artifact)
        return True

    def _artifact(self, uid: str, url: str, tag: str) -> dict[str, Any]:
        clone = self._folder.parent / f"source-{uid}"
        if not clone.exists():
            _git("init", "-q", "--bare", clone)
        _git("-C", clone, "fetch", "-q", "--force", url, f"refs/tags/{tag}:refs/tags/{tag}")
        commit = _git("-C", clone, "rev-parse", f"refs/tags/{tag}^{{commit}}").decode().strip()
        packed = _git("-C", clone, "archive", "--format=tar.gz", commit)
        name = f"{uid}-{commit}.tar.gz"
        (self._folder / name).write_bytes(packed)
        return {
            "path": name,
            "url": f"{self._url}/{name}",
            "revision": f"{tag}@sha1:{commit}",
            "digest": f"sha256:{hashlib.sha256(packed).hexdigest()}",
            "size": len(packed),
            "lastUpdateTime": _now(),
        }

    def _write(
        self, source: Body, is_ready: bool, reason: str, message: str, artifact: dict[str, Any] | None = None
    ) -> None:
        metadata = source["metadata"]
        condition = {
            "type": "Ready",
            "status": str(is_ready),
            "reason": reason,
            "message": message,
            "lastTransitionTime": _now(),
            "observedGeneration": metadata["generation"],
        }
        status = {"observedGeneration": metadata["generation"], "conditions": [condition]}
        status |= {"artifact": artifact} if artifact else {}
        if requested := metadata.get("annotations", {}).get(REQUESTED):
            status["lastHandledReconcileAt"] = requested
        path = (
            f"{REPOSITORIES.rpartition('/')[0]}/namespaces/{metadata['namespace']}/gitrepositories/{metadata['name']}"
        )
        self._cluster.http.request(
            "PATCH", f"{path}/status", body=orjson.dumps({"status": status}), headers=MERGE_PATCH
        )


def _git(*arguments: str | Path) -> bytes:
    return subprocess.run(["git", *arguments], capture_output=True, check=True).stdout


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""
