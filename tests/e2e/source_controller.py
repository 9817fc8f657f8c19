"""A stand-in for Flux's source-controller, which cannot be built here: GitRepositories and OCIRepositories at a tag, as archives
over HTTP.

It follows ``spec.ref.tag``, packs the commit or takes the layer that ``spec.layerSelector`` names, with the login of
``spec.secretRef`` at a registry, and writes the artifact and the condition ``Ready`` into the status; nothing else of the real one
(no branches, no logins to Git, no verification). Sources: Flux, "Git Repositories" and "OCI Repositories".
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import urllib3
from tests.e2e.cluster import Cluster
from tests.e2e.servers import HOST
from tests.e2e.stand_in.operators import MERGE_PATCH

from cluster_forge.manifests.manifest import Body

API = "/apis/source.toolkit.fluxcd.io/v1"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
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


class _SourceError(Exception):
    """A source that cannot be had; ``reason`` is that of its condition ``Ready``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class _Sources:
    def __init__(self, cluster: Cluster, folder: Path, url: str) -> None:
        self._cluster, self._folder, self._url = cluster, folder, url
        self._done: dict[str, tuple[object, object]] = {}

    def work(self) -> None:
        """Look at every source that has changed, or is to be looked at again."""
        for plural, packed in (("gitrepositories", self._commit), ("ocirepositories", self._layer)):
            for source in (self._cluster.get(f"{API}/{plural}") or {"items": []})["items"]:
                metadata = source["metadata"]
                asked = metadata["generation"], metadata.get("annotations", {}).get(REQUESTED)
                if self._done.get(metadata["uid"]) != asked and self._reconcile(source, plural, packed):
                    self._done[metadata["uid"]] = asked

    def _reconcile(self, source: Body, plural: str, packed: Callable[[Body], tuple[str, bytes]]) -> bool:
        """Whether it could be had; if not, the next look tries again."""
        try:
            revision, content = packed(source)
        except _SourceError as error:
            self._write(source, plural, _condition(False, error.reason, str(error)))
            return False
        name = f"{source['metadata']['uid']}-{revision.rpartition(':')[2]}.tar.gz"
        (self._folder / name).write_bytes(content)
        artifact = {
            "path": name,
            "url": f"{self._url}/{name}",
            "revision": revision,
            "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "size": len(content),
            "lastUpdateTime": _now(),
        }
        condition = _condition(True, "Succeeded", f"stored artifact for revision '{revision}'")
        self._write(source, plural, condition, artifact)
        return True

    def _commit(self, source: Body) -> tuple[str, bytes]:
        """The commit of a tag, packed."""
        tag, clone = source["spec"]["ref"]["tag"], self._folder.parent / f"source-{source['metadata']['uid']}"
        try:
            if not clone.exists():
                _git("init", "-q", "--bare", clone)
            _git("-C", clone, "fetch", "-q", "--force", source["spec"]["url"], f"refs/tags/{tag}:refs/tags/{tag}")
            commit = _git("-C", clone, "rev-parse", f"refs/tags/{tag}^{{commit}}").decode().strip()
            return f"{tag}@sha1:{commit}", _git("-C", clone, "archive", "--format=tar.gz", commit)
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip()
            raise _SourceError("GitOperationFailed", f"failed to checkout and determine revision: {said}") from error

    def _layer(self, source: Body) -> tuple[str, bytes]:
        """The layer of an artifact, as it is: a packed folder."""
        spec = source["spec"]
        host, _, repository = spec["url"].removeprefix("oci://").partition("/")
        login = self._login(source, host)

        def pulled(path: str) -> bytes:
            url = f"{'http' if spec.get('insecure') else 'https'}://{host}/v2/{repository}/{path}"
            try:
                answer = urllib3.request("GET", url, headers={"Accept": MANIFEST, **login}, retries=False)
            except urllib3.exceptions.HTTPError as error:
                raise _SourceError("OCIArtifactPullFailed", f"failed to pull artifact: {error}") from error
            if answer.status != HTTPStatus.OK:
                said = answer.data.decode(errors="replace").strip()
                raise _SourceError(
                    "OCIArtifactPullFailed", f"failed to pull artifact: GET {url}: {answer.status} {said}"
                )
            return answer.data

        manifest = pulled(f"manifests/{spec['ref']['tag']}")
        wanted = spec["layerSelector"]["mediaType"]
        (layer,) = (one for one in orjson.loads(manifest)["layers"] if one["mediaType"] == wanted)
        content = pulled(f"blobs/{layer['digest']}")
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == layer["digest"]
        return f"{spec['ref']['tag']}@sha256:{hashlib.sha256(manifest).hexdigest()}", content

    def _login(self, source: Body, host: str) -> dict[str, str]:
        """The header for a registry, from a Secret of the type ``kubernetes.io/dockerconfigjson``."""
        if "secretRef" not in source["spec"]:
            return {}
        place = f"/api/v1/namespaces/{source['metadata']['namespace']}/secrets/{source['spec']['secretRef']['name']}"
        secret = self._cluster.get(place)
        if secret is None:
            raise _SourceError(
                "AuthenticationFailed", f"failed to get the Secret {source['spec']['secretRef']['name']}"
            )
        logins = orjson.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"]
        return {"Authorization": f"Basic {logins[host]['auth']}"}

    def _write(
        self, source: Body, plural: str, condition: dict[str, Any], artifact: dict[str, Any] | None = None
    ) -> None:
        metadata = source["metadata"]
        condition["observedGeneration"] = metadata["generation"]
        status = {"observedGeneration": metadata["generation"], "conditions": [condition]}
        status |= {"artifact": artifact} if artifact else {}
        if requested := metadata.get("annotations", {}).get(REQUESTED):
            status["lastHandledReconcileAt"] = requested
        path = f"{API}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}"
        self._cluster.http.request(
            "PATCH", f"{path}/status", body=orjson.dumps({"status": status}), headers=MERGE_PATCH
        )


def _condition(is_ready: bool, reason: str, message: str) -> dict[str, Any]:
    return {
        "type": "Ready",
        "status": str(is_ready),
        "reason": reason,
        "message": message,
        "lastTransitionTime": _now(),
    }


def _git(*arguments: str | Path) -> bytes:
    return subprocess.run(["git", *arguments], capture_output=True, check=True).stdout


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""
