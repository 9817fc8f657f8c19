"""`ChartSources`: resolve, fetch, check, store."""

from __future__ import annotations

import posixpath
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from cluster_forge.adapters.sources import index_promises
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import DescriptionError, FetchError, LockError, OfflineError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.foundation.versions import newest_first
from cluster_forge.ports.sources import Charts
from cluster_forge.ports.storage import Store
from cluster_forge.stack.lock import LockedSource, chart_address, manifest_address
from cluster_forge.stack.model import HelmSource

if TYPE_CHECKING:
    from cluster_forge.adapters.sources import repository_index

_INDEX_LIMIT: Final = 256 << 20
_FILE_LIMIT: Final = 128 << 20
_OCI: Final = "oci://"
_SHOWN: Final = 8
"""Names or versions in a message."""


class Mirror(Protocol):
    """A place with charts and manifests that were fetched before; see `mirror.FolderMirror`."""

    def charts(self, repository: str) -> Collection[str]:
        """The names of its charts of a repository."""

    def versions(self, repository: str, chart: str) -> Mapping[str, Digest]:
        """Its versions of a chart."""

    def chart(self, repository: str, chart: str, version: str) -> bytes:
        """The archive of one of these."""

    def manifest(self, url: str) -> bytes | None:
        """The content of the URL; None if the mirror does not have it."""


class Downloads(Protocol):
    def get(self, url: str, *, limit_bytes: int) -> bytes:
        """The content of the URL.

        Raises:
            FetchError, OfflineError
        """


class ChartFiles(Protocol):
    """Where local charts are read from; see `ports.Workspace`."""

    def read(self, path: str) -> bytes | None: ...
    def read_chart(self, folder: str) -> FileTree | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartSources:
    """`ports.Sources`. Safe for several threads; an index is fetched once per run.

    ``charts`` is called when an archive is read or packed (its imports take 0.02 s, and most runs find everything in the
    store). ``newest_in_range`` reads version ranges as Helm does (`ports.HelmEngine`).
    """

    store: Store
    mirrors: Sequence[Mirror]
    downloads: Downloads
    charts: Callable[[], Charts]
    newest_in_range: Callable[[str, Sequence[str]], str | None]
    files: ChartFiles
    _indexes: dict[str, repository_index.Index] = field(default_factory=dict, init=False, repr=False)
    _locks: dict[str, threading.Lock] = field(default_factory=dict, init=False, repr=False)

    def chart(self, source: HelmSource, locked: LockedSource | None) -> LockedSource:
        if source.is_local:
            return self._local(source)
        if locked and self.store.get(locked.digest) is not None:
            return locked
        address = f"{without_credentials(source.repository)} {source.chart}"
        version, archive = self._from_mirrors(source, locked) or self._from_repository(source, locked)
        identity = self.charts().check_archive(archive, f"{address} {version}")
        index_promises.check_identity(identity, source, version)
        fetched = LockedSource(
            address=chart_address(source), asked=source.version, version=version, digest=Digest.of(archive)
        )
        return self._stored(archive, fetched, locked)

    def manifest(self, url: str, locked: LockedSource | None) -> LockedSource:
        if locked and self.store.get(locked.digest) is not None:
            return locked
        content = next((fetched for mirror in self.mirrors if (fetched := mirror.manifest(url)) is not None), None)
        if content is None:
            content = self.downloads.get(url, limit_bytes=_FILE_LIMIT)
        address = without_credentials(url)
        try:
            content.decode()
        except UnicodeDecodeError as error:
            raise FetchError(
                f"{address} is not a manifest: byte {error.start} is not UTF-8 text",
                fix="use the address of Kubernetes objects in YAML or JSON",
            ) from error
        return self._stored(content, LockedSource(address=manifest_address(url), digest=Digest.of(content)), locked)

    def _stored(self, content: bytes, fetched: LockedSource, locked: LockedSource | None) -> LockedSource:
        if locked and fetched.digest != locked.digest:
            raise LockError(
                f"{fetched.address} {fetched.version}".rstrip()
                + f" has changed: the lock has {locked.digest}, the source has {fetched.digest}",
                fix="find out why; to accept the change: cluster-forge mine --update NAME",
            )
        self.store.put(content)
        return fetched

    def _from_mirrors(self, source: HelmSource, locked: LockedSource | None) -> tuple[str, bytes] | None:
        offers = [(mirror, mirror.versions(source.repository, source.chart)) for mirror in self.mirrors]
        version = self._choose(source, locked, {version for _, versions in offers for version in versions})
        if version is None:
            return None
        having = [(mirror, versions[version]) for mirror, versions in offers if version in versions]
        as_locked = [mirror for mirror, digest in having if locked and digest == locked.digest]
        return version, (as_locked or [having[0][0]])[0].chart(source.repository, source.chart, version)

    def _from_repository(self, source: HelmSource, locked: LockedSource | None) -> tuple[str, bytes]:
        if source.repository.startswith(_OCI):
            raise FetchError(
                f"{source.repository}/{source.chart} {source.version}".rstrip()
                + " is not in a mirror, and OCI chart repositories can only be read from a mirror",
                fix=f"use a mirror that has it: --mirror DIR{self._mirrored(source)}",
            )
        try:
            releases = self._releases(source)
            version = self._choose(source, locked, [release.version for release in releases])
            if version is None:
                raise _no_version(source, locked, [release.version for release in releases])
            release = next(release for release in releases if release.version == version)
            return version, self._download(source, release)
        except OfflineError as error:
            raise OfflineError(
                error.message, where=error.where, fix=f"{error.fix or ''}{self._mirrored(source)}"
            ) from error

    def _choose(self, source: HelmSource, locked: LockedSource | None, versions: Collection[str]) -> str | None:
        """The locked version; else the described one, exactly or as the newest in its range. None if there is none."""
        wanted = locked.version if locked else source.version
        bare = wanted.removeprefix("v")
        exact = next((text for text in (wanted, bare, f"v{bare}") if text in versions), None)
        if exact or locked or not versions:
            return exact
        return self.newest_in_range(wanted or "*", sorted(versions))

    def _releases(self, source: HelmSource) -> Sequence[repository_index.Release]:
        charts = self._index(source.repository)
        if source.chart not in charts:
            raise DescriptionError(
                f"{without_credentials(source.repository)} has no chart {source.chart!r}"
                + did_you_mean(source.chart, charts),
                fix=f"its charts are {_few(sorted(charts))}",
            )
        if not charts[source.chart]:
            raise FetchError(
                f"the index of {without_credentials(source.repository)} has no version of {source.chart}",
                fix="check what the repository publishes, use another one, or a mirror that has the chart: --mirror DIR",
            )
        return charts[source.chart]

    def _index(self, repository: str) -> repository_index.Index:
        with self._locks.setdefault(repository, threading.Lock()):
            if repository not in self._indexes:
                from cluster_forge.adapters.sources import repository_index  # noqa: PLC0415 - 0.012 s for yaml

                url = index_promises.join(repository, "index.yaml")
                content = self.downloads.get(url, limit_bytes=_INDEX_LIMIT)
                self._indexes[repository] = repository_index.read(content, without_credentials(url))
            return self._indexes[repository]

    def _download(self, source: HelmSource, release: repository_index.Release) -> bytes:
        """The archive from the first address that works.

        Raises:
            FetchError: the failure of the last address.
        """
        failure = FetchError(
            f"{source.chart} {release.version} of {without_credentials(source.repository)} has no address in the index",
            fix="use another version, or a mirror that has it: --mirror DIR",
        )
        for url in release.urls:
            try:
                return self._verified(index_promises.archive_address(source.repository, url, release), release)
            except FetchError as error:
                failure = error
        raise failure

    def _verified(self, url: str, release: repository_index.Release) -> bytes:
        address = without_credentials(url)
        if url.startswith(_OCI):
            raise FetchError(
                f"{address} is in an OCI registry, which can only be read from a mirror",
                fix="use a mirror that has it: --mirror DIR",
            )
        archive = self.downloads.get(url, limit_bytes=_FILE_LIMIT)
        index_promises.check_digest(archive, address, release)
        return archive

    def _local(self, source: HelmSource) -> LockedSource:
        chart = source.chart
        path = posixpath.normpath(f"input/{chart}")
        if re.match(r"\w+://", chart):
            raise DescriptionError(
                f"`chart: {without_credentials(chart)}` is an address; it must be a chart's name or a path",
                fix="write `repository: ADDRESS` and `chart: NAME`",
            )
        tree = self.files.read_chart(path)
        archive = self.files.read(path) if tree is None else self.charts().pack_folder(tree, path)
        if archive is None:
            raise DescriptionError(
                f"there is no chart at {path}",
                fix="without `repository`, `chart` is a directory or .tgz file relative to input/",
            )
        identity = self.charts().check_archive(archive, path)
        return LockedSource(
            address=chart, asked=source.version, version=identity.version, digest=self.store.put(archive)
        )

    def _mirrored(self, source: HelmSource) -> str:
        """The end of a fix: what the mirrors have instead."""
        if not self.mirrors:
            return ""
        versions = {text for mirror in self.mirrors for text in mirror.versions(source.repository, source.chart)}
        if versions:
            return f" (the mirrors have {_few(newest_first(versions))})"
        names = {name for mirror in self.mirrors for name in mirror.charts(source.repository)}
        return f" (the mirrors have {_few(sorted(names)) if names else 'nothing'} of this repository)"


def _no_version(source: HelmSource, locked: LockedSource | None, versions: Iterable[str]) -> DescriptionError:
    wanted = (
        f"version {locked.version!r} (from the lock)" if locked else (source.version and f"version {source.version!r}")
    )
    available = newest_first(versions)
    hint = "" if locked else did_you_mean(source.version, available)
    return DescriptionError(
        f"{without_credentials(source.repository)} has no {wanted or 'stable version'} of {source.chart}{hint}",
        fix=f"its newest versions are {_few(available)}",
    )


def _few(words: Sequence[str]) -> str:
    """The first words of a list, and how many more there are."""
    return ", ".join(words[:_SHOWN]) + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
