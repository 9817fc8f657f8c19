"""A mirror in an OCI registry: an artifact whose layers are the index and the files; each file is found by its digest."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Final

from cluster_forge.adapters.sources import mirror_entries, mirror_index
from cluster_forge.adapters.sources.mirror_index import MirrorEntry, MirrorFile
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError
from cluster_forge.oci import manifest
from cluster_forge.oci.image import MANIFEST_TYPE, Descriptor, encode
from cluster_forge.oci.manifest import Manifest
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.mirrors import MirrorCheck
from cluster_forge.ports.registry import Registry, RegistryUploads, StoredManifest, Upload, content
from cluster_forge.stack.lock import LockedSource

MIRROR_TYPE: Final = "application/vnd.cluster-forge.mirror.v1"
_INDEX_TYPE: Final = "application/vnd.cluster-forge.mirror.index.v1+yaml"
_FILE_TYPE: Final = "application/vnd.cluster-forge.mirror.file.v1"
_TITLE: Final = "org.opencontainers.image.title"
_TAG: Final = "mirror"
"""The tag of an address without one."""
_LARGEST_INDEX: Final = 64 << 20
_LARGEST_FILE: Final = 640 << 20
_NO_CONFIG: Final = b"{}"
"""OCI image spec, "Guidance for an Empty Descriptor"."""
_CONFIG: Final = Descriptor.of(_NO_CONFIG, "application/vnd.oci.empty.v1+json")


def reference(address: str) -> ImageReference:
    """The reference of a mirror: ``oci://HOST/REPOSITORY[:TAG]``.

    Raises:
        ImageError: if it is not one.
    """
    parsed = ImageReference.from_address(address)
    return parsed if parsed.tag or parsed.digest else replace(parsed, tag=_TAG)


class MirrorRegistry:
    """`MirrorPlace` under a tag of a registry; ``registry`` is called when it is first read."""

    def __init__(self, registry: Callable[[], Registry], mirror: ImageReference) -> None:
        self._registry = registry
        self._mirror = mirror

    @property
    def title(self) -> str:
        return self._mirror.address

    def entries(self) -> Sequence[MirrorEntry]:
        index = next((layer for layer in self._manifest.layers if layer.media_type == _INDEX_TYPE), None)
        if index is None:
            raise FetchError("the mirror has no index", where=self.title, fix="write it again: `mirror create`")
        return mirror_index.read(content(self._registry(), self._mirror, index, _LARGEST_INDEX), self.title)

    def content(self, file: MirrorFile) -> bytes:
        if file.digest not in self.layers:
            raise FetchError(
                f"{file.name} of the mirror is not among its layers",
                where=file.where,
                fix="write it again: `mirror create`",
            )
        return content(self._registry(), self._mirror, self.layers[file.digest], _LARGEST_FILE)

    @cached_property
    def layers(self) -> Mapping[Digest, Descriptor]:
        """The files by their digests.

        Raises:
            FetchError: if the tag names something else than a mirror.
        """
        return {layer.digest: layer for layer in self._manifest.layers if layer.media_type == _FILE_TYPE}

    @cached_property
    def _manifest(self) -> Manifest:
        stored = self._registry().manifest(self._mirror)
        parsed = manifest.parse(stored.content, stored.media_type)
        if not isinstance(parsed, Manifest) or parsed.artifact_type != MIRROR_TYPE:
            raise FetchError(
                f"{self.title} names something else than a mirror", fix="name another one: oci://HOST/REPOSITORY:TAG"
            )
        return parsed


class RegistryWriter:
    """`ports.MirrorWriter` for a registry: blobs first, then the manifest under its tag."""

    def __init__(self, registry: Registry, uploads: RegistryUploads, mirror: ImageReference) -> None:
        self._registry = registry
        self._uploads = uploads
        self._mirror = mirror
        self._place = MirrorRegistry(lambda: registry, mirror)

    def write(
        self, sources: Sequence[LockedSource], content: Callable[[LockedSource], bytes]
    ) -> Sequence[LockedSource]:
        current = self._registry.digest(self._mirror)
        before = self._place.entries() if current else ()
        layers = dict(self._place.layers) if current else {}
        entries = {source: mirror_entries.of(source) for source in sources}
        added = [source for source, entry in entries.items() if entry.file.digest not in layers]
        for source in added:
            layers[source.digest] = self._send(content(source), _FILE_TYPE)
        merged = mirror_entries.merged((*before, *entries.values()))
        index = self._send(mirror_entries.index(merged), _INDEX_TYPE)
        self._send(_NO_CONFIG, _CONFIG.media_type)
        written = _built(index, merged, layers)
        if written.digest != current:
            self._uploads.send_manifest(self._mirror, written)
        return added

    def check(self, wanted: Sequence[LockedSource]) -> MirrorCheck:
        return mirror_entries.check(self._place, wanted)

    def _send(self, blob: bytes, media_type: str) -> Descriptor:
        descriptor = Descriptor.of(blob, media_type)
        self._uploads.send_blob(self._mirror, Upload(blob=descriptor, open=partial(io.BytesIO, blob)))
        return descriptor


def _built(index: Descriptor, entries: Iterable[MirrorEntry], layers: Mapping[Digest, Descriptor]) -> StoredManifest:
    """The manifest of a mirror: the index, and the file of each entry under its name, once each."""
    names = {entry.file.digest: entry.file.name for entry in entries}
    files = [replace(layers[digest], annotations={_TITLE: name}) for digest, name in names.items()]
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": MIRROR_TYPE,
        "config": _CONFIG.to_json(),
        "layers": [layer.to_json() for layer in (replace(index, annotations={_TITLE: mirror_index.FILE}), *files)],
    }
    return StoredManifest.of(encode(document), MANIFEST_TYPE)
