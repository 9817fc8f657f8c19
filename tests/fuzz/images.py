"""Images of registries: manifests, indexes, configurations, and base images as they are stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from tests.fuzz import texts
from tests.fuzz.target import Target
from tests.fuzz.texts import SCALARS, Tree, mapping, several
from tests.oci.base_images import DOCKER_GZIP, GZIP, Base

from cluster_forge.foundation.errors import ImageError
from cluster_forge.oci import base_image, image, image_archive, manifest
from cluster_forge.oci.image import CONFIG_TYPE, MANIFEST_TYPE, BaseImage, Descriptor
from cluster_forge.oci.index import INDEX_TYPE

_BASE = Base()
_DOCKERS = Base(is_dockers=True)
_ARCHITECTURES = ("amd64", "arm64")
_DIGEST = f"sha256:{'0123456789abcdef' * 4}"
_AMD64 = _BASE.manifests["linux/amd64"]
_LAYERS = tuple(Descriptor.of(content, GZIP) for content in (b"a", b"b"))
_OWN = {"created": "", "config": {"Labels": {"a": "b"}}, "rootfs": {"diff_ids": [_DIGEST]}, "history": [{}]}


def _json(tree: Tree) -> st.SearchStrategy[bytes]:
    return st.builds(lambda value: json.dumps(value, default=str).encode(), tree)


def _manifest(data: bytes) -> None:
    read = manifest.parse(data)
    if isinstance(read, manifest.Index):
        base_image.chosen(read, _ARCHITECTURES)
    else:
        base_image.layers_of(read)


def _config(data: bytes) -> None:
    config = base_image.read_config(data, _LAYERS)
    base = BaseImage(name="x", manifest=_AMD64, config=config, layers=_LAYERS, blobs={})
    image.encode(base.config_with(_OWN))


def _archive(data: bytes) -> None:
    image_archive.unpack(data, "registry.example.com/tools:1", _ARCHITECTURES)


def _hostile_json() -> Iterator[tuple[str, bytes]]:
    yield "deep", b'{"config": ' + b"[" * 500_000
    yield "many", b'{"manifests": [' + b"{}," * 1_000_000 + b"{}]}"
    yield "long", b'{"mediaType": "' + b"x" * 10_000_000 + b'"}'


_DIGESTS = st.just(_DIGEST) | SCALARS
_SIZES = st.integers(-1, 1 << 50) | SCALARS
_PLATFORM = mapping(
    {"architecture": st.sampled_from(("amd64", "arm64", "unknown")), "os": st.sampled_from(("linux", "windows"))},
    {"variant": SCALARS},
)
_TYPES = st.sampled_from((GZIP, DOCKER_GZIP, CONFIG_TYPE, MANIFEST_TYPE, INDEX_TYPE, f"{GZIP}+encrypted")) | SCALARS
_DESCRIPTOR = mapping(
    {"mediaType": _TYPES, "digest": _DIGESTS, "size": _SIZES}, {"platform": _PLATFORM, "annotations": SCALARS}
)
_MANIFEST = mapping(
    {"schemaVersion": st.just(2), "config": _DESCRIPTOR, "layers": several(_DESCRIPTOR)}, {"mediaType": _TYPES}
)
_INDEX = mapping({"schemaVersion": st.just(2), "manifests": several(_DESCRIPTOR)}, {"mediaType": _TYPES})
_SETTINGS = mapping({"Env": several(SCALARS)}, {"Labels": mapping({"a": SCALARS}), "Cmd": SCALARS, "OnBuild": SCALARS})
_CONFIG: Tree = mapping(
    {
        "architecture": st.just("amd64"),
        "os": st.just("linux"),
        "rootfs": mapping({"diff_ids": st.just([_DIGEST, _DIGEST]) | several(_DIGESTS)}),
    },
    {"config": _SETTINGS, "history": several(mapping({"empty_layer": SCALARS})), "os.features": SCALARS},
)


def _blobs(*bases: Base, start: bytes) -> tuple[bytes, ...]:
    return tuple(content for base in bases for content in base.blobs.values() if content.startswith(start))


def _documents(key: str) -> tuple[bytes, ...]:
    documents: list[tuple[bytes, Any]] = [(blob, json.loads(blob)) for blob in _blobs(_BASE, _DOCKERS, start=b"{")]
    return tuple(blob for blob, document in documents if key in document)


MANIFEST = Target(
    name="image-manifest",
    read=_manifest,
    refusals=(ImageError,),
    seeds=(*_documents("layers"), *_documents("manifests")),
    inputs=_json(_MANIFEST | _INDEX),
    hostile=_hostile_json,
)
CONFIG = Target(
    name="image-config",
    read=_config,
    refusals=(ImageError,),
    seeds=_documents("rootfs"),
    inputs=_json(_CONFIG),
    hostile=_hostile_json,
)
ARCHIVE = Target(
    name="image-archive",
    read=_archive,
    refusals=(ImageError,),
    seeds=tuple(image_archive.pack(base.root, base.blobs) for base in (_BASE, _DOCKERS)),
    inputs=texts.written(_INDEX),
)
