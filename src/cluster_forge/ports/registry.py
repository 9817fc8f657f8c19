"""OCI registries: manifests by tag or digest, and blobs (OCI distribution spec). Writing is a Protocol of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, Protocol

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError
from cluster_forge.oci.image import Descriptor
from cluster_forge.oci.reference import ImageReference


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredManifest:
    """A manifest or an index with the exact bytes that its digest is of (`cluster_forge.oci.manifest` reads them)."""

    media_type: str
    content: bytes = field(repr=False)
    digest: Digest

    @classmethod
    def of(cls, content: bytes, media_type: str) -> StoredManifest:
        return cls(media_type=media_type, content=content, digest=Digest.of(content))

    @property
    def descriptor(self) -> Descriptor:
        return Descriptor(media_type=self.media_type, digest=self.digest, size=len(self.content))


class Registry(Protocol):
    """Reads registries. What it returns has the digest and the size that were asked for. Safe for several threads.

    A repository is a reference of which tag and digest do not count. Every method raises:

    * FetchError: if the registry cannot be reached, refuses, does not have it, or sends something else.
    * OfflineError: under ``--offline``.
    """

    def tags(self, repository: ImageReference) -> Sequence[str]:
        """All tags, in the registry's order; none if the repository has none."""

    def digest(self, reference: ImageReference) -> Digest | None:
        """The digest of what a tag (or a digest) names; None if there is no such thing in the repository."""

    def manifest(self, reference: ImageReference) -> StoredManifest:
        """The manifest or index that a digest or else a tag names."""

    def blob(self, repository: ImageReference, blob: Descriptor, write: Callable[[bytes], object]) -> None:
        """Pass a blob to ``write``, part by part, in constant memory.

        If this raises, what was written is not the blob.
        """

    def referrers(self, subject: ImageReference, artifact_type: str = "") -> Sequence[Descriptor]:
        """The manifests that name the digest of ``subject`` as their subject; of a type, if one is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A blob to send: ``open`` gives its bytes from the beginning, each time it is called.

    ``origins`` are repositories of the same registry that may have it already.
    """

    blob: Descriptor
    open: Callable[[], BinaryIO] = field(repr=False)
    origins: tuple[ImageReference, ...] = ()


class Sent(StrEnum):
    """How a blob came into a repository."""

    PRESENT = "present"
    MOUNTED = "mounted"
    UPLOADED = "uploaded"


class RegistryUploads(Protocol):
    """Writes to registries. Safe for several threads.

    Both methods raise RegistryError if the registry refuses, and FetchError if it cannot be reached.
    """

    def send_blob(self, repository: ImageReference, upload: Upload) -> Sent:
        """Bring a blob into a repository, unless it is there: from another one of the registry, or from here."""

    def send_manifest(self, reference: ImageReference, manifest: StoredManifest) -> None:
        """Store a manifest under a tag, or under its digest if the reference has no tag.

        What it names must be there. Where the registry does not list referrers, this does it for the manifest's subject
        (distribution spec, "Pushing Manifests with Subject").
        """


def content(registry: Registry, repository: ImageReference, blob: Descriptor, limit_bytes: int) -> bytes:
    """A whole blob in memory.

    Raises:
        FetchError: as the registry raises it; also if the blob is larger than ``limit_bytes``.
    """
    if blob.size > limit_bytes:
        raise FetchError(
            f"{repository.bare.address}: {blob.digest} has {blob.size:,} bytes, and {limit_bytes:,} are allowed",
            fix="check what the address names",
        )
    received = bytearray()
    registry.blob(repository, blob, received.extend)
    return bytes(received)
