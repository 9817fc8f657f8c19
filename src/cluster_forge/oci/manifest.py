"""Manifests and indexes that others wrote, read with bounds (OCI image spec, ``manifest.md``, ``image-index.md``).

Docker's ones (``manifest.v2+json``, ``manifest.list.v2+json``) have the same fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError
from cluster_forge.oci.image import CONFIG_TYPE, MANIFEST_TYPE, Descriptor
from cluster_forge.oci.index import INDEX_TYPE

DOCKER_MANIFEST_TYPE: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST_TYPE: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST_TYPES: Final = (MANIFEST_TYPE, DOCKER_MANIFEST_TYPE)
INDEX_TYPES: Final = (INDEX_TYPE, DOCKER_LIST_TYPE)
LARGEST: Final = 4 << 20
"""Bytes of a manifest: as many as clients and registries are expected to support (OCI distribution spec)."""
_MOST_ENTRIES: Final = 2_000
_LARGEST_BLOB: Final = 1 << 46


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An image, or an artifact. ``subject`` is the manifest that it says something about."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    artifact_type: str = ""
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """What must be there before the manifest: its configuration and its layers."""
        return (self.config, *self.layers)

    @property
    def kind(self) -> str:
        """What it is, for people and for lists of referrers: its ``artifactType``, or else its configuration's type."""
        return self.artifact_type or self.config.media_type

    @property
    def is_image(self) -> bool:
        """Whether it is an image that a container runtime could unpack."""
        return self.config.media_type in (CONFIG_TYPE, "application/vnd.docker.container.image.v1+json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A list of manifests: the images of several platforms, or the referrers of one."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)


def parse(content: bytes, media_type: str = "") -> Manifest | Index:
    """Read a manifest or an index; ``media_type`` is what the registry calls it, empty if it does not say.

    Raises:
        ImageError: if it is neither, or too large; also if it calls itself something else.
    """
    document = _object(_json(content), "the manifest")
    own = _text(document, "mediaType")
    known = media_type or own
    if own and known != own:
        raise _bad(f"it says {own!r}, and the registry says {known!r}")
    if known in INDEX_TYPES or (not known and "manifests" in document):
        return _index(document, known or INDEX_TYPE)
    if known in MANIFEST_TYPES or (not known and "config" in document):
        return _manifest(document, known or MANIFEST_TYPE)
    raise _bad(f"its media type is {known or 'not given'!r}, which is neither an image nor an index")


def _json(content: bytes) -> object:
    if len(content) > LARGEST:
        raise _bad(f"it is larger than {LARGEST >> 20} MiB")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _bad("it is not JSON") from error


def _index(document: Mapping[str, Any], media_type: str) -> Index:
    return Index(
        media_type=media_type,
        manifests=_descriptors(document, "manifests"),
        annotations=_texts(document.get("annotations")),
    )


def _manifest(document: Mapping[str, Any], media_type: str) -> Manifest:
    subject = document.get("subject")
    return Manifest(
        media_type=media_type,
        config=_descriptor(document.get("config"), "config"),
        layers=_descriptors(document, "layers"),
        artifact_type=_text(document, "artifactType"),
        subject=None if subject is None else _descriptor(subject, "subject"),
        annotations=_texts(document.get("annotations")),
    )


def _descriptors(document: Mapping[str, Any], key: str) -> tuple[Descriptor, ...]:
    entries = document.get(key)
    if entries is None:
        return ()
    if not isinstance(entries, list) or len(entries) > _MOST_ENTRIES:
        raise _bad(f"{key!r} is not a list of at most {_MOST_ENTRIES:,} entries")
    return tuple(_descriptor(entry, f"{key}[{number}]") for number, entry in enumerate(entries))


def _descriptor(value: object, where: str) -> Descriptor:
    """One descriptor; ``where`` is its place in the manifest."""
    entry = _object(value, where)
    size, text = entry.get("size"), _text(entry, "digest")
    if type(size) is not int or not 0 <= size <= _LARGEST_BLOB:
        raise _bad(f"the size of {where} is {str(size)[:40]!r}")
    if not text.startswith("sha256:"):
        raise _bad(f"the digest of {where} is {text[:80]!r}: only sha256 is supported")
    try:
        digest = Digest.parse(text)
    except ValueError as error:
        raise _bad(f"the digest of {where} is {text[:80]!r}") from error
    platform = entry.get("platform")
    platform = platform if isinstance(platform, dict) else {}
    return Descriptor(
        media_type=_text(entry, "mediaType"),
        digest=digest,
        size=size,
        architecture=_text(platform, "architecture"),
        os=_text(platform, "os") or "linux",
        variant=_text(platform, "variant"),
        artifact_type=_text(entry, "artifactType"),
        annotations=_texts(entry.get("annotations")),
    )


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _bad(f"{where} is not a mapping")
    return value


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> Mapping[str, str]:
    """Annotations: texts by key; anything else is ignored, as runtimes do."""
    entries = value if isinstance(value, dict) else {}
    return {key: text for key, text in entries.items() if isinstance(text, str)}


def _bad(reason: str) -> ImageError:
    return ImageError(f"not a valid manifest: {reason}", fix="push it again with the program that made it")
