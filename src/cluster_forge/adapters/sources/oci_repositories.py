"""Charts in OCI registries, ``oci://host/path``: a repository for each chart, a tag for each version."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cluster_forge.adapters.sources.chart_repositories import FetchedChart, NewestInRange, choose, no_version
from cluster_forge.adapters.sources.oci_charts import OciCharts, pinned_digest
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import DescriptionError, FetchError
from cluster_forge.foundation.names import counted
from cluster_forge.foundation.versions import SemanticVersion, is_strict
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.sources import ChartRelease
from cluster_forge.stack.lock import LockedSource
from cluster_forge.stack.model import HelmSource


@dataclass(frozen=True, slots=True, kw_only=True)
class OciRepositories:
    """`ChartRepositories` in registries; the tags of a chart are listed once per run, and only for a range."""

    charts: OciCharts
    newest_in_range: NewestInRange
    _tags: dict[ImageReference, Mapping[str, str]] = field(default_factory=dict, init=False, repr=False)
    _locks: dict[ImageReference, threading.Lock] = field(default_factory=dict, init=False, repr=False)

    def fetch(self, source: HelmSource, locked: LockedSource | None) -> FetchedChart:
        repository = _repository(source)
        tag, digest = _pinned(source)
        if digest:
            self._check_tag(repository, tag, digest)
            return self._fetched(replace(repository, tag=_tag(tag), digest=digest))
        return self._fetched(self._exact(repository, source, locked) or self._newest(repository, source, locked))

    def releases(self, source: HelmSource) -> Sequence[ChartRelease]:
        return [ChartRelease(version=version) for version in self._versions(_repository(source))]

    def _fetched(self, reference: ImageReference) -> FetchedChart:
        """The chart of a tag. One that is not a whole version, like ``1.2``, moves, and promises nothing."""
        version = _version(reference.tag)
        promised = version if is_strict(version.removeprefix("v")) else ""
        return FetchedChart(archive=self.charts.archive(reference), version=version, promised=promised)

    def _exact(
        self, repository: ImageReference, source: HelmSource, locked: LockedSource | None
    ) -> ImageReference | None:
        """The tag of a version that is given exactly, at the digest that it has now; None if there is none.

        What is not a version, but a range, is not asked for (Helm: ``ValidateReference``).
        """
        wanted = locked.version if locked else source.version
        if SemanticVersion.parse(wanted) is None:
            return None
        bare = wanted.removeprefix("v")
        for version in dict.fromkeys((wanted, bare, f"v{bare}")):
            reference = replace(repository, tag=_tag(version))
            digest = self.charts.registry().digest(reference)
            if digest:
                return reference.pinned(digest)
        return None

    def _newest(self, repository: ImageReference, source: HelmSource, locked: LockedSource | None) -> ImageReference:
        versions = self._versions(repository)
        version = choose(source, locked, versions, self.newest_in_range)
        if version is None:
            raise no_version(source, locked, versions)
        return replace(repository, tag=versions[version])

    def _versions(self, repository: ImageReference) -> Mapping[str, str]:
        """The tags that are versions, by version: semantic ones only, as Helm reads them (``Client.Tags``), or, where there
        is none of these, those with a ``v``. Helm writes ``_`` for ``+``, which no tag may have.

        Raises:
            FetchError: if there is neither.
        """
        with self._locks.setdefault(repository, threading.Lock()):
            if repository not in self._tags:
                tags = {_version(tag): tag for tag in self.charts.registry().tags(repository)}
                self._tags[repository] = {version: tag for version, tag in tags.items() if is_strict(version)} or {
                    version: tag for version, tag in tags.items() if is_strict(version.removeprefix("v"))
                }
                if not self._tags[repository]:
                    raise FetchError(
                        f"{repository.address} has no version among its {counted(len(tags), 'tag')}",
                        fix="check the address; a chart's repository ends with its name",
                    )
            return self._tags[repository]

    def _check_tag(self, repository: ImageReference, tag: str, digest: Digest) -> None:
        """A tag beside a digest must not name something else; it need not exist (Helm: ``ValidateReference``)."""
        if not tag:
            return
        reference = replace(repository, tag=_tag(tag))
        now = self.charts.registry().digest(reference)
        if now not in (None, digest):
            raise FetchError(
                f"{reference.address} is {now} now, and the description pins {digest}",
                fix=f"find out why; to keep the digest whatever the tag names, write `version: {digest}`",
            )


def _repository(source: HelmSource) -> ImageReference:
    """The repository of the chart itself: its name is the last part.

    Raises:
        ImageError: if it cannot be one.
    """
    return ImageReference.from_address(f"{without_credentials(source.repository)}/{source.chart}").bare


def _pinned(source: HelmSource) -> tuple[str, Digest | None]:
    try:
        return pinned_digest(source.version)
    except ValueError as error:
        raise DescriptionError(
            f"`version: {source.version}` of {source.chart}: {error}",
            fix="write a version, a range, sha256:DIGEST, or VERSION@sha256:DIGEST",
        ) from error


def _tag(version: str) -> str:
    return version.replace("+", "_")


def _version(tag: str) -> str:
    return tag.replace("_", "+")
