"""Chart repositories by HTTP: an ``index.yaml``, and the archives that it lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from cluster_forge.adapters.sources import index_promises
from cluster_forge.adapters.sources.chart_repositories import (
    FetchedChart,
    NewestInRange,
    RegistryAt,
    choose,
    few,
    no_version,
)
from cluster_forge.adapters.sources.once import Once
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import DescriptionError, FetchError, ForgeError, ImageError, OfflineError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.oci.reference import SCHEME, ImageReference
from cluster_forge.ports.sources import ChartRelease
from cluster_forge.ports.storage import Store
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import LockedSource

if TYPE_CHECKING:
    from cluster_forge.adapters.sources import repository_index

_INDEX_LIMIT: Final = 256 << 20
FILE_LIMIT: Final = 128 << 20
"""Bytes of an archive or a manifest."""


class Downloads(Protocol):
    def get(self, url: str, *, limit_bytes: int) -> bytes:
        """The content of the URL.

        Raises:
            FetchError, OfflineError
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRepositories:
    """`ChartRepositories` by ``https://``, ``http://`` and ``file://``.

    An index is fetched once per run, with ``indexes``; an archive whose digest it has is taken from the ``store``, if that
    has it: a run that was killed before it wrote the lock left it there.
    """

    store: Store
    downloads: Downloads
    indexes: Downloads
    registry_at: RegistryAt
    newest_in_range: NewestInRange
    _read: Once[repository_index.Index] = field(default_factory=Once, init=False, repr=False)

    def fetch(self, source: HelmSource, locked: LockedSource | None) -> FetchedChart:
        releases = self._releases(source)
        versions = [release.version for release in releases]
        version = choose(source, locked, versions, self.newest_in_range)
        if version is None:
            raise no_version(source, locked, versions)
        release = next(release for release in releases if release.version == version)
        return FetchedChart(archive=self._download(source, release), version=version, promised=version)

    def releases(self, source: HelmSource) -> Sequence[ChartRelease]:
        return self._releases(source)

    def _releases(self, source: HelmSource) -> Sequence[repository_index.Release]:
        charts = self._index(source.repository)
        if source.chart not in charts:
            raise DescriptionError(
                f"{without_credentials(source.repository)} has no chart {source.chart!r}"
                + did_you_mean(source.chart, charts),
                fix=f"its charts are {few(sorted(charts))}",
            )
        if not charts[source.chart]:
            raise FetchError(
                f"the index of {without_credentials(source.repository)} has no version of {source.chart}",
                fix="check what the repository publishes, use another one, or a mirror that has the chart: --mirror DIR",
            )
        return charts[source.chart]

    def _index(self, repository: str) -> repository_index.Index:
        return self._read.get(repository, partial(self._fetched_index, repository))

    def _fetched_index(self, repository: str) -> repository_index.Index:
        from cluster_forge.adapters.sources import repository_index  # noqa: PLC0415 - 0.012 s for yaml

        url = index_promises.join(repository, "index.yaml")
        content = self.indexes.get(url, limit_bytes=_INDEX_LIMIT)
        return repository_index.read(content, without_credentials(url))

    def _download(self, source: HelmSource, release: repository_index.Release) -> bytes:
        """The archive as it was fetched before, or from the first address that works.

        Raises:
            FetchError, OfflineError, ImageError: the failure of the last address.
        """
        known = self.store.get(release.digest) if release.digest else None
        if known is not None:
            return known
        failure: ForgeError = FetchError(
            f"{source.chart} {release.version} of {without_credentials(source.repository)} has no address in the index",
            fix="use another version, or a mirror that has it: --mirror DIR",
        )
        for url in release.urls:
            try:
                return self._verified(index_promises.archive_address(source.repository, url, release), release)
            except (FetchError, OfflineError, ImageError) as error:
                failure = error
        raise failure

    def _verified(self, url: str, release: repository_index.Release) -> bytes:
        address = without_credentials(url)
        if url.startswith(SCHEME):
            from cluster_forge.adapters.sources import oci_charts  # noqa: PLC0415 - 0.01 s

            reference = ImageReference.from_address(address)
            tag = "" if reference.digest else reference.tag or release.version.replace("+", "_")
            archive = oci_charts.archive(self.registry_at(url), replace(reference, tag=tag))
        else:
            archive = self.downloads.get(url, limit_bytes=FILE_LIMIT)
        index_promises.check_digest(archive, address, release)
        return archive
