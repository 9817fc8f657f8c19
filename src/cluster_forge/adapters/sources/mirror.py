"""A mirror: charts and manifests that were fetched before, listed in an ``index.yaml``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from cluster_forge.adapters.sources.mirror_folder import MirrorFolder
from cluster_forge.adapters.sources.mirror_index import (
    DEFAULT_BRANCH,
    SECTIONS,
    MirrorEntry,
    MirrorFile,
    MirrorPlace,
    normal,
    spellings,
)
from cluster_forge.foundation.digest import Digest
from cluster_forge.stack.lock import LockedSource


class IndexedMirror:
    """Charts by repository and name, manifests by URL, everything by its digest; every file is checked against the index.

    ``index.yaml`` is read when it is first needed::

        charts:
        - {repository: https://charts.jetstack.io, name: cert-manager, version: v1.21.1, file: charts/x.tgz, sha256: …}
        manifests:
        - {url: https://…/install.yaml, file: manifests/install.yaml, sha256: …}
        git:
        - {address: git+https://…/repo.git//deploy, ref: v1, commit: …, file: git/deploy.tgz, sha256: …}
    """

    def __init__(self, place: MirrorPlace) -> None:
        self._place = place

    def charts(self, repository: str) -> Collection[str]:
        """The names of its charts of ``repository``.

        Raises:
            FetchError: if the index cannot be read, here as in the other methods.
            ExceptionGroup: with all errors of the index.
        """
        places = spellings(repository)
        return {key[2] for key in self._files if key[0] == "charts" and key[1] in places}

    def versions(self, repository: str, chart: str) -> Mapping[str, Digest]:
        """The versions of a chart with their digests; empty if the mirror does not have it."""
        return {version: file.digest for version, file in self._versions(repository, chart).items()}

    def chart(self, repository: str, chart: str, version: str) -> bytes:
        """The archive of one of `versions`.

        Raises:
            FetchError: if the file is missing, or does not match the index.
        """
        return self._place.content(self._versions(repository, chart)[version])

    def manifest(self, url: str) -> bytes | None:
        """The content of ``url``; None if the mirror does not have it.

        Raises:
            FetchError: as for `chart`.
        """
        manifests = self._files.get(("manifests",), {})
        file = next((manifests[spelling] for spelling in spellings(url) if spelling in manifests), None)
        return self._place.content(file) if file else None

    def locked(self, digest: Digest) -> bytes | None:
        """The content with a digest, whatever it is; None if the mirror does not have it.

        Raises:
            FetchError: as for `chart`.
        """
        file = self._by_digest.get(digest)
        return self._place.content(file) if file else None

    def pinned(self, address: str, asked: str) -> LockedSource | None:
        """What the REF of an address in Git, the tag of an artifact or a base image named when the mirror was written.

        None if the mirror has nothing for it, or several things: a REF may have moved, and one address may have manifests
        and the whole tree of a repository.

        Raises:
            FetchError: as for `charts`.
        """
        known = self._pins.get((normal(address), asked), frozenset())
        if len(known) != 1:
            return None
        ((version, digest),) = known
        return LockedSource(address=address, asked=asked, version=version, digest=digest)

    def _versions(self, repository: str, chart: str) -> Mapping[str, MirrorFile]:
        versions: dict[str, MirrorFile] = {}
        for spelling in reversed(spellings(repository)):
            versions |= self._files.get(("charts", spelling, chart), {})
        return versions

    @cached_property
    def _entries(self) -> Sequence[MirrorEntry]:
        return self._place.entries()

    @cached_property
    def _by_digest(self) -> Mapping[Digest, MirrorFile]:
        return {entry.file.digest: entry.file for entry in reversed(self._entries)}

    @cached_property
    def _pins(self) -> Mapping[tuple[str, str], frozenset[tuple[str, Digest]]]:
        """Versions and digests by an address and what is asked for there."""
        pins: dict[tuple[str, str], set[tuple[str, Digest]]] = {}
        for entry in self._entries:
            fields = dict(zip(SECTIONS[entry.section], entry.keys, strict=True))
            match entry.section:
                case "git":
                    ref = "" if fields["ref"] == DEFAULT_BRANCH else fields["ref"]
                    place, version = (normal(fields["address"]), ref), fields["commit"]
                case "images":
                    place, version = (normal(fields["image"]), fields["platforms"]), fields["digest"]
                case "artifacts":
                    place, version = (normal(fields["address"]), fields["tag"]), fields["digest"]
                case _:
                    continue
            pins.setdefault(place, set()).add((version, entry.file.digest))
        return {place: frozenset(known) for place, known in pins.items()}

    @cached_property
    def _files(self) -> Mapping[tuple[str, ...], Mapping[str, MirrorFile]]:
        """The files by their keys but the last, and then by that: a chart's by version, all manifests by URL."""
        files: dict[tuple[str, ...], dict[str, MirrorFile]] = {}
        for entry in self._entries:
            files.setdefault(entry.key[:-1], {}).setdefault(entry.key[-1], entry.file)
        return files


class FolderMirror(IndexedMirror):
    """A mirror in a directory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(MirrorFolder(folder))


def open_mirror(folder: Path) -> FolderMirror:
    """The mirror in a directory that the user named; its index must exist, and is read when it is first needed.

    Raises:
        FetchError: if there is no index.
    """
    MirrorFolder(folder).check_index()
    return FolderMirror(folder)
