"""An image for one architecture: configuration and manifest around layers (OCI image spec, ``config.md``, ``manifest.md``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.untyped import mapping

if TYPE_CHECKING:
    from cluster_forge.oci.layer import Layer  # its compressors take 0.01 s

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_PREFIX = "org.opencontainers.image."
BASE_NAME = f"{_PREFIX}base.name"
_FIELDS = ("architecture", "os", "os.version", "os.features", "variant", "author")
_SETTINGS = (
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "StopSignal",
    "ArgsEscaped",
    "Healthcheck",
    "Shell",
    "StopTimeout",
)
"""What an image says about starting it: OCI's keys (OCI image spec, ``config.md``) and Docker's, but for ``OnBuild``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A blob's media type, digest and size (OCI image spec, ``descriptor.md``).

    In an index, ``architecture``, ``os`` and ``variant`` say which platform an image is for. ``artifact_type`` is what a
    manifest is, where it is not an image.
    """

    media_type: str
    digest: Digest
    size: int
    architecture: str = ""
    os: str = "linux"
    variant: str = ""
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: bytes, media_type: str) -> Descriptor:
        return cls(media_type=media_type, digest=Digest.of(content), size=len(content))

    def to_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.artifact_type:
            entry["artifactType"] = self.artifact_type
        if self.architecture:
            variant = {"variant": self.variant} if self.variant else {}
            entry["platform"] = {"architecture": self.architecture, "os": self.os, **variant}
        if self.annotations:
            entry["annotations"] = dict(self.annotations)
        return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMetadata:
    """The source of an image's annotations. ``created`` is in seconds since 1970, ``revision`` is the Git commit in it."""

    title: str
    version: str
    created: int
    revision: str = ""
    description: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def time(self) -> str:
        """``created`` in RFC 3339."""
        return datetime.fromtimestamp(self.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def annotations(self) -> dict[str, str]:
        """The pre-defined annotations (OCI image spec, ``annotations.md``) that have a value, and ``more``."""
        known = {
            "title": self.title,
            "version": self.version,
            "created": self.time,
            "revision": self.revision,
            "description": self.description,
        }
        return {f"{_PREFIX}{key}": value for key, value in known.items() if value} | dict(self.more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image for one architecture: its manifest, and the bytes of manifest, configuration and layer."""

    manifest: Descriptor
    blobs: Mapping[Digest, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImage:
    """A base image for one architecture: its reference, manifest, configuration, and layers with OCI's media types."""

    name: str
    manifest: Descriptor
    config: Mapping[str, Any]
    layers: tuple[Descriptor, ...]
    blobs: Mapping[Digest, bytes] = field(repr=False)

    @property
    def annotations(self) -> dict[str, str]:
        return base_annotations(self.name, self.manifest.digest)

    def config_with(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration of an image upon this one, as image builders write it: what is not in ``own`` is the base's.

        Labels are merged, and layers and history continue.
        """
        settings = mapping(self.config.get("config"))
        kept = {key: settings[key] for key in _SETTINGS if settings.get(key) not in (None, "", [], {})}
        labels = {**mapping(settings.get("Labels")), **own["config"]["Labels"]}
        return {
            **{key: self.config[key] for key in _FIELDS if self.config.get(key)},
            "created": own["created"],
            "config": {**kept, "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [*self.config["rootfs"]["diff_ids"], *own["rootfs"]["diff_ids"]]},
            "history": [*self._history(), *own["history"]],
        }

    def _history(self) -> list[Any]:
        """An entry for each layer: the base's own ones, unless they are missing or of other layers."""
        entries = self.config.get("history")
        known = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        if sum(not entry.get("empty_layer") for entry in known) == len(self.layers):
            return known
        return [{"created_by": f"layer {layer.digest}"} for layer in self.layers]


def base_annotations(name: str, digest: Digest) -> dict[str, str]:
    """What an image is built upon (OCI image spec, ``annotations.md``)."""
    return {BASE_NAME: name, f"{_PREFIX}base.digest": str(digest)}


def build(layer: Layer, architecture: str, metadata: ImageMetadata, base: BaseImage | None = None) -> Image:
    """The image of ``layer``, which holds data only and has no command to start; or of ``layer`` upon a base image."""
    own = _config(layer, architecture, metadata)
    config = encode(base.config_with(own) if base else own)
    added = Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size)
    layers = [*(base.layers if base else ()), added]
    manifest = encode(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": Descriptor.of(config, CONFIG_TYPE).to_json(),
            "layers": [entry.to_json() for entry in layers],
            "annotations": metadata.annotations | (base.annotations if base else {}),
        }
    )
    described = Descriptor(
        media_type=MANIFEST_TYPE, digest=Digest.of(manifest), size=len(manifest), architecture=architecture
    )
    blobs = {Digest.of(content): content for content in (config, manifest)}
    return Image(manifest=described, blobs={**(base.blobs if base else {}), **blobs, layer.digest: layer.content})


def _config(layer: Layer, architecture: str, metadata: ImageMetadata) -> dict[str, Any]:
    comment = f"{metadata.title} {metadata.version}"
    return {
        "architecture": architecture,
        "os": "linux",
        "created": metadata.time,
        "config": {"Labels": metadata.annotations},
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id)]},
        "history": [{"created": metadata.time, "created_by": "cluster-forge cast", "comment": comment}],
    }


def encode(value: Mapping[str, Any]) -> bytes:
    """The JSON of a blob. Its keys are sorted, so that equal values have equal digests."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
