"""Base images: fetched from a registry for some architectures, as one archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cluster_forge.adapters.sources.chart_repositories import RegistryAt
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError
from cluster_forge.oci.reference import ImageReference

if TYPE_CHECKING:
    from cluster_forge.oci.image import Descriptor
    from cluster_forge.ports.registry import Registry

_LARGEST: Final = 512 << 20
"""Bytes of all blobs together: they are held in memory."""


@dataclass(frozen=True, slots=True)
class RegistryImages:
    """Reads images."""

    registry_at: RegistryAt

    def digest(self, reference: ImageReference) -> Digest | None:
        """The digest that the tag of an image names; None if there is no such tag.

        Raises:
            FetchError, OfflineError: if the registry cannot be asked.
        """
        return self.registry_at(reference.address).digest(reference)

    def archive(self, reference: ImageReference, architectures: Sequence[str]) -> tuple[Digest, bytes]:
        """The digest of an image (of its index, or its only manifest), and its archive (`oci.image_archive`).

        Raises:
            FetchError, OfflineError: if it cannot be fetched.
            ImageError: if it is not an image for all of these architectures.
        """
        from cluster_forge.oci import image_archive  # noqa: PLC0415 - 0.01 s for the compressors

        registry = self.registry_at(reference.address)
        root = registry.manifest(reference)
        blobs = {root.digest: root.content}
        left = _LARGEST

        def blob(wanted: Descriptor) -> bytes:
            nonlocal left
            if wanted.digest not in blobs:
                left -= wanted.size
                if left < 0:
                    raise ImageError(f"the base image has more than {_LARGEST >> 20} MiB", fix="use a smaller one")
                blobs[wanted.digest] = _fetched(registry, reference, wanted)
            return blobs[wanted.digest]

        try:
            image_archive.images(str(reference), root.descriptor, architectures, blob)
        except ImageError as error:
            raise ImageError(f"{reference.address}: {error.message}", where=error.where, fix=error.fix) from error
        return root.digest, image_archive.pack(root.descriptor, blobs)


def _fetched(registry: Registry, reference: ImageReference, wanted: Descriptor) -> bytes:
    from cluster_forge.oci.manifest import INDEX_TYPES, MANIFEST_TYPES  # noqa: PLC0415 - 0.01 s, as above
    from cluster_forge.ports.registry import content  # noqa: PLC0415 - the same

    if wanted.media_type in (*MANIFEST_TYPES, *INDEX_TYPES):
        return registry.manifest(reference.pinned(wanted.digest)).content
    return content(registry, reference, wanted, wanted.size)
