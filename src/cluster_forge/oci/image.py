"""An image for one architecture: configuration and manifest around layers (OCI image spec, ``config.md``, ``manifest.md``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError
from cluster_forge.oci.layer import Layer

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_OS = "linux"
_PREFIX = "org.opencontainers.image."
_LAYER_TYPES = {
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
}
"""Docker's names for the layers of a base image, and OCI's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """What a blob is, by its digest (OCI image spec, ``descriptor.md``)."""

    media_type: str
    digest: Digest
    size: int
    architecture: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: bytes, media_type: str) -> Descriptor:
        return cls(media_type=media_type, digest=Digest.of(content), size=len(content))

    def to_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.architecture:
            entry["platform"] = {"architecture": self.architecture, "os": _OS}
        if self.annotations:
            entry["annotations"] = dict(self.annotations)
        return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an image says of itself; ``created`` is in seconds since 1970, ``revision`` the Git commit in it."""

    title: str
    version: str
    created: int
    revision: str = ""
    description: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def time(self) -> str:
        """``created`` as RFC 3339 writes it."""
        return datetime.fromtimestamp(self.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def annotations(self) -> dict[str, str]:
        """The pre-defined annotations (OCI image spec, ``annotations.md``), those without a value left out."""
        known = {
            "title": self.title,
            "version": self.version,
            "created": self.time,
            "revision": self.revision,
            "description": self.description,
        }
        return {f"{_PREFIX}{key}": value for key, value in known.items() if value} | dict(self.more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The image that ours is put on top of, for one architecture; its layers lie in its own registry."""

    architecture: str
    config: Mapping[str, Any]
    layers: tuple[Descriptor, ...]

    @classmethod
    def parse(cls, manifest: bytes, config: bytes) -> Base:
        """Read the manifest and configuration of one architecture's image, OCI's or Docker's.

        Raises:
            ImageError: if they are something else (an index, say), or do not belong together.
        """
        try:
            entries = orjson.loads(manifest)["layers"]
            described = orjson.loads(config)
            layers = tuple(
                Descriptor(
                    media_type=_LAYER_TYPES.get(each["mediaType"], each["mediaType"]),
                    digest=Digest.parse(each["digest"]),
                    size=each["size"],
                )
                for each in entries
            )
            architecture, count = described["architecture"], len(described["rootfs"]["diff_ids"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ImageError(f"the base image's manifest or configuration cannot be read: {error!r}") from error
        if count != len(layers) or described.get("os") != _OS:
            raise ImageError("the base image's manifest and configuration do not describe the same Linux image")
        return cls(architecture=architecture, config=described, layers=layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image for one architecture: its manifest and configuration as bytes, and the layer that is ours."""

    manifest: Descriptor
    blobs: Mapping[Digest, bytes] = field(repr=False)


def build(layer: Layer, architecture: str, about: About, *, base: Base | None = None) -> Image:
    """The image of ``layer``, on top of ``base`` if there is one. Nothing in it starts by itself without a base.

    Raises:
        ImageError: if the base is for another architecture.
    """
    if base and base.architecture != architecture:
        raise ImageError(f"the base image is for {base.architecture}, not for {architecture}")
    config = encode(_config(layer, architecture, about, base.config if base else {}))
    ours = Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size)
    manifest = encode(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": Descriptor.of(config, CONFIG_TYPE).to_json(),
            "layers": [each.to_json() for each in (*(base.layers if base else ()), ours)],
            "annotations": about.annotations,
        }
    )
    described = Descriptor(
        media_type=MANIFEST_TYPE, digest=Digest.of(manifest), size=len(manifest), architecture=architecture
    )
    blobs = {Digest.of(content): content for content in (config, manifest)}
    return Image(manifest=described, blobs={**blobs, layer.digest: layer.content})


def _config(layer: Layer, architecture: str, about: About, base: Mapping[str, Any]) -> dict[str, Any]:
    step = {"created": about.time, "created_by": "cluster-forge cast", "comment": f"{about.title} {about.version}"}
    run: Mapping[str, Any] = base.get("config") or {}
    return {
        **base,
        "architecture": architecture,
        "os": _OS,
        "created": about.time,
        "config": {**run, "Labels": {**(run.get("Labels") or {}), **about.annotations}},
        "rootfs": {
            "type": "layers",
            "diff_ids": [*base.get("rootfs", {}).get("diff_ids", ()), str(layer.diff_id)],
        },
        "history": [*(base.get("history") or ()), step],
    }


def encode(value: Mapping[str, Any]) -> bytes:
    """The JSON of a blob; its keys are sorted, so that one value has one digest."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
