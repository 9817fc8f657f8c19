"""Files in artifacts of OCI registries, as ``flux push artifact`` and ``oras push`` make them: one layer, a tar in gzip."""

from __future__ import annotations

import io
import posixpath
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cluster_forge.adapters.sources.chart_repositories import RegistryAt, few
from cluster_forge.foundation import gzip_files, tree_archives
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ArchiveError, DescriptionError, FetchError, LockError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci.artifact_address import ArtifactAddress
from cluster_forge.stack.lock import LockedSource

if TYPE_CHECKING:
    from cluster_forge.oci.image import Descriptor
    from cluster_forge.oci.manifest import Index, Manifest
    from cluster_forge.oci.reference import ImageReference
    from cluster_forge.ports.registry import Registry

_TAR: Final = "tar+gzip"
"""How the media type of the layer ends: ORAS takes that of an image's layer, Flux its own."""
_CHART: Final = "application/vnd.cncf.helm.config.v1+json"
_LARGEST: Final = 32 << 20
"""Bytes of a layer."""
_LARGEST_UNPACKED: Final = 64 << 20
_MOST: Final = 10_000
"""Files, directories and other members of the tar."""
_PUSH: Final = "push a folder of plain files: `flux push artifact`, or `oras push REFERENCE FOLDER/`"


@dataclass(frozen=True, slots=True)
class RegistryArtifacts:
    """Reads artifacts."""

    registry_at: RegistryAt

    def tree(self, address: ArtifactAddress, locked: LockedSource | None) -> tuple[str, bytes]:
        """The digest of an artifact, and the archive (`tree_archives`) of all its files; the ``locked`` one by its digest.

        Raises:
            FetchError, OfflineError: if it cannot be fetched, or is not such an artifact.
            ImageError: if it is not a manifest at all.
            ArchiveError: if its files are not safe.
            LockError: if the registry does not have the locked one any more.
            DescriptionError: if the path of ``address`` is not in it.
        """
        from cluster_forge.oci import manifest  # noqa: PLC0415 - 0.01 s, and mostly all is in the store
        from cluster_forge.ports.registry import content  # noqa: PLC0415 - the same

        registry = self.registry_at(address.reference.address)
        reference = address.reference
        if locked:
            reference = _as_locked(registry, reference, Digest.parse(locked.version))
        stored = registry.manifest(reference)
        layer = _layer(manifest.parse(stored.content, stored.media_type), reference)
        files = _files(content(registry, reference, layer, _LARGEST), reference.address)
        _check_path(files, address)
        return str(stored.digest), tree_archives.packed(files)


def _as_locked(registry: Registry, reference: ImageReference, digest: Digest) -> ImageReference:
    """The locked artifact, whatever its tag names now."""
    pinned = reference.pinned(digest)
    if registry.digest(pinned) is None:
        now = registry.digest(reference) or "not there"
        raise LockError(
            f"{reference.address} has changed: the lock has {digest}, which the registry has no more; now it is {now}",
            fix="find out why; to accept the change: cluster-forge mine --update NAME",
        )
    return pinned


def _layer(artifact: Manifest | Index, reference: ImageReference) -> Descriptor:
    """The only layer of an artifact.

    Raises:
        FetchError: if it is something else; the message says what.
    """
    from cluster_forge.oci.manifest import Index  # noqa: PLC0415 - as above

    if isinstance(artifact, Index):
        raise _no_files(reference, "it is an index, as of a container image for several platforms")
    if artifact.is_image and not artifact.artifact_type:
        raise _no_files(reference, f"it is a container image ({artifact.config.media_type})")
    if artifact.config.media_type == _CHART:
        raise _no_files(reference, "it is a Helm chart")
    if len(artifact.layers) != 1 or not artifact.layers[0].media_type.endswith(_TAR):
        kinds = few([layer.media_type or "?" for layer in artifact.layers]) or "none"
        raise _no_files(reference, f"it must have one layer whose media type ends with {_TAR} (its layers: {kinds})")
    return artifact.layers[0]


def _no_files(reference: ImageReference, reason: str) -> FetchError:
    return FetchError(f"{reference.address} is not an artifact with a folder: {reason}", fix=_PUSH)


def _files(layer: bytes, shown: str) -> FileTree:
    """The files in a layer.

    Raises:
        ArchiveError: for anything but plain files and directories, and for names that lead elsewhere.
    """
    try:
        tar = gzip_files.unpacked(layer, _LARGEST_UNPACKED)
        with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
            files: dict[str, bytes] = {}
            for name, content in _members(archive):
                if name in files:
                    raise ValueError(f"it has {name!r} twice")
                files[name] = content
            return FileTree(files)
    except (OSError, EOFError, ValueError, OverflowError, zlib.error, tarfile.TarError) as error:
        raise ArchiveError(f"{shown} cannot be unpacked: {error}", fix=_PUSH) from error


def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    """The files by their normal paths; nothing is written to a disk.

    Raises:
        ValueError: as `_files`.
    """
    for number, member in enumerate(archive):
        name = posixpath.normpath(member.name)
        if number >= _MOST:
            raise ValueError(f"it has more than {_MOST:,} members")
        if not name.isprintable() or "\\" in name or name.startswith("/") or ".." in member.name.split("/"):
            raise ValueError(f"{member.name!r} is not a path in it")
        if member.isdir():
            continue
        file = archive.extractfile(member) if member.isreg() and not member.issparse() else None
        if file is None:
            raise ValueError(f"{member.name!r} is neither a plain file nor a directory")
        yield name, file.read()


def _check_path(files: FileTree, address: ArtifactAddress) -> None:
    if not address.path or any(path.startswith(f"{address.path}/") for path in files):
        return
    folders = sorted({path.partition("/")[0] for path in files if "/" in path})
    raise DescriptionError(
        f"{address.reference.address} has no folder {address.path!r}",
        fix=f"name one that it has behind `//`: {few(folders)}" if folders else "leave out `//` and what is behind it",
    )
