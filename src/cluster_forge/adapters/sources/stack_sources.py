"""`StackSources`: resolve, fetch, check, store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from cluster_forge.adapters.sources import index_promises
from cluster_forge.adapters.sources.chart_repositories import (
    ChartRepositories,
    FetchedChart,
    NewestInRange,
    choose,
    few,
)
from cluster_forge.adapters.sources.git_repositories import GitRepositories
from cluster_forge.adapters.sources.http_repositories import FILE_LIMIT, Downloads
from cluster_forge.adapters.sources.local_charts import LocalCharts
from cluster_forge.adapters.sources.local_kustomizations import LocalKustomizations
from cluster_forge.adapters.sources.once import Once
from cluster_forge.adapters.sources.registry_artifacts import RegistryArtifacts
from cluster_forge.adapters.sources.registry_images import RegistryImages
from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError, LockError, OfflineError
from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.foundation.versions import newest_first
from cluster_forge.oci.artifact_address import ArtifactAddress
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.sources import ChartRelease, Charts, GitOffer
from cluster_forge.ports.storage import Store
from cluster_forge.stack import source_schemes
from cluster_forge.stack.component import HelmSource, KustomizeSource
from cluster_forge.stack.lock import (
    LockedSource,
    chart_address,
    chart_asked,
    image_address,
    image_platforms,
    kustomization_address,
    manifest_address,
    manifest_asked,
)

if TYPE_CHECKING:
    from cluster_forge.stack.chart_dependencies import ChartDependency


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

    def locked(self, digest: Digest) -> bytes | None:
        """The content with a digest; None if the mirror does not have it."""

    def pinned(self, address: str, asked: str) -> LockedSource | None:
        """What is asked for at an address in Git or in a registry, as it was locked for the mirror."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSources:
    """`ports.Sources` and `ports.Offers`. Safe for several threads; what several components have is fetched once.

    ``repositories`` are the kinds of chart repository by the scheme of their address, ``of_plugins`` and ``plugin_downloads`` are
    for the schemes of plug-ins; ``charts`` is called when an archive
    is read (its imports take 0.02 s, and most runs find everything in the store).
    """

    store: Store
    mirrors: Sequence[Mirror]
    repositories: Mapping[str, ChartRepositories]
    of_plugins: ChartRepositories
    git: GitRepositories
    local: LocalCharts
    images: RegistryImages
    artifacts: RegistryArtifacts
    kustomizations: LocalKustomizations
    downloads: Downloads
    plugin_downloads: Downloads
    charts: Callable[[], Charts]
    newest_in_range: NewestInRange
    _fetched: Once[LockedSource] = field(default_factory=Once, init=False, repr=False)

    def chart(self, source: HelmSource, locked: LockedSource | None) -> LockedSource:
        if source.is_local:
            return self._local(source)
        if source.git:
            locked = locked or self._pinned_by_mirror(chart_address(source), chart_asked(source))
        if locked and self.store.get(locked.digest) is not None:
            return locked
        key = (chart_address(source), source.version, locked)
        return self._fetched.get(key, partial(self._fetch_chart, source, locked))

    def _fetch_chart(self, source: HelmSource, locked: LockedSource | None) -> LockedSource:
        fetched = self._from_mirrors(source, locked) or self._from_repository(source, locked)
        address = f"{without_credentials(source.repository)} {source.chart}"
        identity = self.charts().check_archive(fetched.archive, f"{address} {fetched.version}")
        if not source.git:
            index_promises.check_identity(identity, source, fetched.promised)
        resolved = LockedSource(
            address=chart_address(source),
            asked=chart_asked(source),
            version=fetched.version or identity.version,
            digest=Digest.of(fetched.archive),
        )
        return self._stored(fetched.archive, resolved, locked)

    def kustomization(self, source: KustomizeSource) -> LockedSource:
        archive = self.kustomizations.archive(source)
        return LockedSource(address=kustomization_address(source), digest=self.store.put(archive))

    def manifest(self, url: str, locked: LockedSource | None) -> LockedSource:
        if is_git(url):
            locked = locked or self._pinned_by_mirror(manifest_address(url), manifest_asked(url))
        if locked and self.store.get(locked.digest) is not None:
            return locked
        return self._fetched.get((url, locked), partial(self._fetch_manifest, url, locked))

    def _fetch_manifest(self, url: str, locked: LockedSource | None) -> LockedSource:
        if is_git(url):
            in_git = GitAddress.parse(url)
            return self._pinned(in_git, partial(self.git.manifests, in_git, locked), locked)
        content = self._as_locked(locked)
        if content is None:
            content = next((fetched for mirror in self.mirrors if (fetched := mirror.manifest(url)) is not None), None)
        if content is None:
            downloads = self.plugin_downloads if source_schemes.of_plugin(url) else self.downloads
            content = downloads.get(url, limit_bytes=FILE_LIMIT)
        address = without_credentials(url)
        try:
            content.decode()
        except UnicodeDecodeError as error:
            raise FetchError(
                f"{address} is not a manifest: byte {error.start} is not UTF-8 text",
                fix="use the address of Kubernetes objects in YAML or JSON",
            ) from error
        return self._stored(content, LockedSource(address=manifest_address(url), digest=Digest.of(content)), locked)

    def dependencies(self, source: HelmSource, chart: LockedSource) -> Sequence[ChartDependency]:
        archive = self.store.get(chart.digest) if source.is_local or source.git else None
        if archive is None:
            return ()
        opened = chart_archives.opened(archive)
        if b"dependencies" not in opened.tar:
            return ()
        from cluster_forge.stack import chart_dependencies  # noqa: PLC0415 - 0.05 s for yaml

        members = {name.partition("/")[2]: file for name, file in opened.files()}
        shown = str(source.git or f"input/{source.chart}")
        return chart_dependencies.missing(members, lambda name: opened.read(members[name]), shown)

    def image(
        self, reference: ImageReference, architectures: Sequence[str], locked: LockedSource | None
    ) -> LockedSource:
        locked = locked or self._pinned_by_mirror(image_address(reference), image_platforms(architectures))
        if locked and self.store.get(locked.digest) is not None:
            return locked
        content = self._as_locked(locked)
        if locked and content is not None:
            return self._stored(content, locked, locked)
        pinned = reference.pinned(Digest.parse(locked.version)) if locked else reference
        digest, archive = self.images.archive(pinned, architectures)
        fetched = LockedSource(
            address=image_address(reference),
            asked=image_platforms(architectures),
            version=str(digest),
            digest=Digest.of(archive),
        )
        return self._stored(archive, fetched, locked)

    def tree(self, address: GitAddress | ArtifactAddress, locked: LockedSource | None) -> LockedSource:
        locked = locked or self._pinned_by_mirror(address.key, address.ref)
        if locked and self.store.get(locked.digest) is not None:
            return locked
        if isinstance(address, ArtifactAddress):
            fetch = partial(self.artifacts.tree, address, locked)
        else:
            fetch = partial(self.git.tree, address, locked)
        return self._fetched.get((address, locked), partial(self._pinned, address, fetch, locked))

    def _pinned(
        self,
        address: GitAddress | ArtifactAddress,
        fetch: Callable[[], tuple[str, bytes]],
        locked: LockedSource | None,
    ) -> LockedSource:
        """What a commit or the digest of an artifact pins; ``fetch`` returns that and the archive."""
        mirrored = self._as_locked(locked)
        version, archive = (locked.version, mirrored) if locked and mirrored is not None else fetch()
        resolved = LockedSource(address=address.key, asked=address.ref, version=version, digest=Digest.of(archive))
        return self._stored(archive, resolved, locked)

    def releases(self, source: HelmSource) -> Sequence[ChartRelease]:
        mirrored = {version for mirror in self.mirrors for version in mirror.versions(source.repository, source.chart)}
        try:
            offered = self._kind(source).releases(source)
        except OfflineError:
            if not mirrored:
                raise
            offered = ()
        others = mirrored - {release.version for release in offered}
        return [*offered, *(ChartRelease(version=version) for version in sorted(others))]

    def in_git(self, address: GitAddress, locked: LockedSource | None) -> GitOffer:
        try:
            return self.git.offer(address)
        except OfflineError:
            if locked is None or self._as_locked(locked) is None:
                raise
            return GitOffer(commit=locked.version)

    def image_digest(self, reference: ImageReference, locked: LockedSource | None) -> Digest | None:
        try:
            return self.images.digest(reference)
        except OfflineError:
            if locked is None or self._as_locked(locked) is None:
                raise
            return Digest.parse(locked.version)

    def _stored(self, content: bytes, fetched: LockedSource, locked: LockedSource | None) -> LockedSource:
        if locked and fetched.digest != locked.digest:
            raise LockError(
                f"{fetched.address} {fetched.version}".rstrip()
                + f" has changed: the lock has {locked.digest}, the source has {fetched.digest}",
                fix="find out why; to accept the change: cluster-forge mine --update NAME",
            )
        self.store.put(content)
        return fetched

    def _as_locked(self, locked: LockedSource | None) -> bytes | None:
        """The locked bytes, if a mirror has them; under whatever name."""
        if locked is None:
            return None
        return next((content for mirror in self.mirrors if (content := mirror.locked(locked.digest)) is not None), None)

    def _pinned_by_mirror(self, address: str, asked: str) -> LockedSource | None:
        """What a mirror has for an address without a version to choose, as if it were locked."""
        return next((pinned for mirror in self.mirrors if (pinned := mirror.pinned(address, asked))), None)

    def _from_mirrors(self, source: HelmSource, locked: LockedSource | None) -> FetchedChart | None:
        content = self._as_locked(locked)
        if locked and content is not None:
            return FetchedChart(archive=content, version=locked.version, promised=locked.version)
        offers = [(mirror, mirror.versions(source.repository, source.chart)) for mirror in self.mirrors]
        offered = {version for _, versions in offers for version in versions}
        version = choose(source, locked, offered, self.newest_in_range)
        if version is None:
            return None
        mirror = next(mirror for mirror, versions in offers if version in versions)
        archive = mirror.chart(source.repository, source.chart, version)
        return FetchedChart(archive=archive, version=version, promised=version)

    def _from_repository(self, source: HelmSource, locked: LockedSource | None) -> FetchedChart:
        try:
            return self._kind(source).fetch(source, locked)
        except OfflineError as error:
            raise OfflineError(
                error.message, where=error.where, fix=f"{error.fix or ''}{self._mirrored(source)}"
            ) from error

    def _kind(self, source: HelmSource) -> ChartRepositories:
        """The kind of the source's repository.

        Raises:
            FetchError: if there is none for its address.
        """
        if source_schemes.of_plugin(source.repository):
            return self.of_plugins
        scheme = source.repository.partition("://")[0].lower()
        if scheme not in self.repositories:
            raise FetchError(
                f"{without_credentials(source.repository)} is not an address of a chart repository",
                fix=f"write an address that begins with {few([f'{known}://' for known in self.repositories])}",
            )
        return self.repositories[scheme]

    def _local(self, source: HelmSource) -> LockedSource:
        archive = self.local.archive(source)
        identity = self.charts().check_archive(archive, f"input/{source.chart}")
        return LockedSource(
            address=source.chart, asked=source.version, version=identity.version, digest=self.store.put(archive)
        )

    def _mirrored(self, source: HelmSource) -> str:
        """The end of a fix: what the mirrors have instead."""
        if not self.mirrors:
            return ""
        versions = {text for mirror in self.mirrors for text in mirror.versions(source.repository, source.chart)}
        if versions:
            return f" (the mirrors have {few(newest_first(versions))})"
        names = {name for mirror in self.mirrors for name in mirror.charts(source.repository)}
        return f" (the mirrors have {few(sorted(names)) if names else 'nothing'} of this repository)"
