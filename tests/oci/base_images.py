"""Base images for tests: an index with an image for each platform, as an image builder writes them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

import zstandard

from cluster_forge.foundation.digest import Digest
from cluster_forge.oci.image import CONFIG_TYPE, MANIFEST_TYPE, Descriptor
from cluster_forge.oci.index import INDEX_TYPE
from cluster_forge.oci.manifest import DOCKER_LIST_TYPE, DOCKER_MANIFEST_TYPE

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
DOCKER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
SETTINGS = {
    "Env": ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
    "Entrypoint": ["/bin/tool"],
    "Cmd": ["--help"],
    "User": "1000:1000",
    "WorkingDir": "/work",
    "ExposedPorts": {"8080/tcp": {}},
    "Labels": {"maintainer": "someone", "org.opencontainers.image.title": "tools"},
    "OnBuild": ["RUN true"],
    "Hostname": "builder",
}


def tar(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            packed.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


class Base:
    """An image; ``root`` is its index, or its only manifest."""

    def __init__(self, platforms: Sequence[str] = ("linux/amd64", "linux/arm64"), *, is_dockers: bool = False) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.is_dockers = is_dockers
        self.manifests: dict[str, Descriptor] = {}
        for platform in platforms:
            self.manifests[platform] = self.add_image(platform)
        self.root = self.add_index()

    def add(self, content: bytes, media_type: str) -> Descriptor:
        entry = Descriptor.of(content, media_type)
        self.blobs[entry.digest] = content
        return entry

    def add_image(self, platform: str, **changes: Any) -> Descriptor:
        system, _, rest = platform.partition("/")
        architecture, _, variant = rest.partition("/")
        first, second = tar({"bin/tool": platform}), tar({"etc/tool": "common"})
        layers = [
            self.add(gzip.compress(first, mtime=0), DOCKER_GZIP if self.is_dockers else GZIP),
            self.add(gzip.compress(second, mtime=0), DOCKER_GZIP)
            if self.is_dockers
            else self.add(zstandard.compress(second), ZSTD),
        ]
        config: dict[str, Any] = {
            "architecture": architecture,
            "os": system,
            **({"variant": variant} if variant else {}),
            "created": "2020-01-01T00:00:00Z",
            "config": SETTINGS,
            "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(first)), str(Digest.of(second))]},
            "history": [
                {"created_by": "COPY tool /bin/tool"},
                {"created_by": "ENV LANG=C.UTF-8", "empty_layer": True},
                {"created_by": "COPY tool /etc/tool"},
            ],
            **changes.pop("config", {}),
        }
        described = self.add(json.dumps(config).encode(), DOCKER_CONFIG if self.is_dockers else CONFIG_TYPE)
        manifest_type = DOCKER_MANIFEST_TYPE if self.is_dockers else MANIFEST_TYPE
        manifest = {
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": described.to_json(),
            "layers": [layer.to_json() for layer in layers],
            **changes,
        }
        entry = self.add(json.dumps(manifest).encode(), manifest_type)
        return Descriptor(
            media_type=entry.media_type,
            digest=entry.digest,
            size=entry.size,
            architecture=architecture,
            os=system,
            variant=variant,
        )

    def add_index(self) -> Descriptor:
        media_type = DOCKER_LIST_TYPE if self.is_dockers else INDEX_TYPE
        entries = [manifest.to_json() for manifest in self.manifests.values()]
        document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
        return self.add(json.dumps(document).encode(), media_type)

    def blob(self, entry: Descriptor) -> bytes:
        return self.blobs[entry.digest]
