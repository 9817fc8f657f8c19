"""Putting artifacts into a registry of the tests, by the shortest way: what is tested is what others read and write."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import urllib3
from tests.oci.base_images import Base
from tests.servers.registry import SERVICE, Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
HELM_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes and what they are; ``more`` are further fields of their descriptor."""

    content: bytes = field(repr=False)
    media_type: str
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content), **self.more}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of a registry; ``login`` are user and password where it wants them."""

    registry: Registry
    name: str
    login: tuple[str, str] | None = None

    @property
    def address(self) -> str:
        return f"oci://{self.registry.host}/{self.name}"

    def push(self, tag: str, layers: Sequence[Blob], config: Blob, **more: Any) -> Blob:
        """An image or artifact; without a tag it is there by its digest only. Returns its manifest."""
        for blob in (config, *layers):
            self.push_blob(blob)
        described = {"config": config.descriptor, "layers": [layer.descriptor for layer in layers]}
        return self.push_manifest(tag, {"schemaVersion": 2, "mediaType": MANIFEST, **described, **more})

    def push_index(self, tag: str, entries: Sequence[Mapping[str, Any]]) -> Blob:
        """An index of what is in the repository already."""
        return self.push_manifest(tag, {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)})

    def push_chart(self, archive: bytes, tag: str) -> Blob:
        """A chart as `helm push` does it."""
        layer = Blob(content=archive, media_type=HELM_CHART)
        return self.push(tag, [layer], Blob(content=b"{}", media_type=HELM_CONFIG))

    def tag_again(self, tag: str, others: Iterable[str]) -> None:
        """Give what a tag names more tags, in the registry's files, as a thousand requests would take their time."""
        tags = self.registry.blobs / "docker/registry/v2/repositories" / self.name / "_manifests/tags"
        for other in others:
            shutil.copytree(tags / tag, tags / other)

    def push_blob(self, blob: Blob) -> None:
        url = f"{self.registry.url}/v2/{self.name}/blobs/"
        with self._http() as http:
            if http.request("HEAD", url + blob.digest).status == 200:
                return
            place = http.request("POST", f"{url}uploads/").headers["Location"]
            mark = "&" if "?" in place else "?"
            answer = http.request("PUT", f"{place}{mark}digest={blob.digest}", body=blob.content)
            assert answer.status == 201, answer.data

    def push_manifest(self, tag: str, document: Mapping[str, Any], content: bytes = b"") -> Blob:
        """A manifest or an index, as JSON or in these very bytes."""
        manifest = Blob(content=content or json.dumps(document).encode(), media_type=str(document["mediaType"]))
        url = f"{self.registry.url}/v2/{self.name}/manifests/{tag or manifest.digest}"
        with self._http() as http:
            headers = {**http.headers, "Content-Type": manifest.media_type}
            answer = http.request("PUT", url, body=manifest.content, headers=headers)
            assert answer.status == 201, answer.data
        return manifest

    def _http(self) -> urllib3.PoolManager:
        """Requests as the user: with a password, or with a token for this repository."""
        headers = {}
        if self.login:
            headers = urllib3.make_headers(basic_auth=":".join(self.login))
        if self.login and self.registry.tokens:
            fields = {"service": SERVICE, "scope": f"repository:{self.name}:pull,push"}
            answer = urllib3.request("GET", self.registry.tokens.url, fields=fields, headers=headers)
            headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        return urllib3.PoolManager(retries=False, timeout=30, headers=headers)


def push_base(repository: Repository, base: Base, tag: str = "1.2") -> str:
    """Bring a base image into a repository; its reference."""
    for content in base.blobs.values():
        repository.push_blob(Blob(content=content, media_type=""))
    for entry in base.manifests.values():
        repository.push_manifest("", json.loads(base.blob(entry)), base.blob(entry))
    repository.push_manifest(tag, json.loads(base.blob(base.root)), base.blob(base.root))
    return f"{repository.address.removeprefix('oci://')}:{tag}"
