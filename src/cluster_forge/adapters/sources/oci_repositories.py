"""Charts in OCI registries, ``oci://host/path``: a repository for each chart, a tag for each version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cluster_forge.adapters.sources.chart_repositories import (
    FetchedChart,
    NewestInRange,
    RegistryAt,
    choose,
    no_version,
)
from cluster_forge.adapters.sources.once import Once
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import DescriptionError, FetchError
from cluster_forge.foundation.names import counted
from cluster_forge.foundation.versions import SemanticVersion, is_strict
from cluster_forge.oci.reference import ImageReference
from cluster_forge.ports.sources import ChartRelease
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import LockedSource

_SHA256: Final = "sha256:"


@dataclass(frozen=True, slots=True, kw_only=True)
class OciRepositories:
    """`ChartRepositories` in registries; the tags of a chart are listed once per run, and only for a range."""

    registry_at: RegistryAt
    newest_in_range: NewestInRange
    _listed: Once[Mapping[str, str]] = field(default_factory=Once, init=False, repr=False)

    def fetch(self, source: HelmSource, locked: LockedSource | None) -> FetchedChart:
        from cluster_forge.adapters.sources import oci_charts  # noqa: PLC0415 - 0.01 s, and mostly all is in the store

        reference = self._pinned(source) or self._exact(source, locked) or self._newest(source, locked)
        version = _version(reference.tag)
        # A tag that is not a whole version, like ``1.2``, moves, and promises nothing.
        promised = version if is_strict(version.removeprefix("v")) else ""
        archive = oci_charts.archive(self.registry_at(source.repository), reference)
        return FetchedChart(archive=archive, version=version, promised=promised)

    def releases(self, source: HelmSource) -> Sequence[ChartRelease]:
        return [ChartRelease(version=version) for version in self._versions(source)]

    def _exact(self, source: HelmSource, locked: LockedSource | None) -> ImageReference | None:
        """The tag of a version that is given exactly, at the digest that it has now; None if there is none.

        What is not a version, but a range, is not asked for (Helm: ``ValidateReference``).
        """
        wanted = locked.version if locked else source.version
        if SemanticVersion.parse(wanted) is None:
            return None
        bare = wanted.removeprefix("v")
        for version in dict.fromkeys((wanted, bare, f"v{bare}")):
            reference = replace(_repository(source), tag=_tag(version))
            digest = self.registry_at(source.repository).digest(reference)
            if digest:
                return reference.pinned(digest)
        return None

    def _newest(self, source: HelmSource, locked: LockedSource | None) -> ImageReference:
        versions = self._versions(source)
        version = choose(source, locked, versions, self.newest_in_range)
        if version is None:
            raise no_version(source, locked, versions)
        return replace(_repository(source), tag=versions[version])

    def _versions(self, source: HelmSource) -> Mapping[str, str]:
        """The tags that are versions, by version.

        Raises:
            FetchError: if there is none.
        """
        repository = _repository(source)

        def listed() -> Mapping[str, str]:
            return _versions(repository, self.registry_at(source.repository).tags(repository))

        return self._listed.get(repository, listed)

    def _pinned(self, source: HelmSource) -> ImageReference | None:
        """What a digest in the description pins. A tag beside it must not name something else; it need not exist (Helm:
        ``ValidateReference``).
        """
        version, digest = _digest(source)
        if digest is None:
            return None
        reference = replace(_repository(source), tag=_tag(version))
        now = self.registry_at(source.repository).digest(reference) if version else None
        if now not in (None, digest):
            raise FetchError(
                f"{reference.address} is {now} now, and the description pins {digest}",
                fix=f"find out why; to keep the digest whatever the tag names, write `version: {digest}`",
            )
        return reference.pinned(digest)


def _repository(source: HelmSource) -> ImageReference:
    """The repository of the chart itself: its name is the last part.

    Raises:
        ImageError: if it cannot be one.
        DescriptionError: if the name of the chart has a tag or digest.
    """
    name, mark, version = source.chart.partition("@") if "@" in source.chart else source.chart.partition(":")
    if mark:
        raise DescriptionError(
            f"`chart: {source.chart}`: the name of a chart has no tag or digest",
            fix=f"write `chart: {name}` and `version: {version}`",
        )
    return ImageReference.from_address(f"{without_credentials(source.repository)}/{source.chart}").bare


def _versions(repository: ImageReference, tags: Sequence[str]) -> Mapping[str, str]:
    """Semantic versions only, as Helm reads them (``Client.Tags``), or, where there is none of these, those with a ``v``.

    Helm writes ``_`` for ``+``, which no tag may have.
    """
    versions = {_version(tag): tag for tag in tags}
    strict = {version: tag for version, tag in versions.items() if is_strict(version)}
    offered = strict or {version: tag for version, tag in versions.items() if is_strict(version.removeprefix("v"))}
    if not offered:
        raise FetchError(
            f"{repository.address} has no version among its {counted(len(tags), 'tag')}",
            fix="check the address; a chart's repository ends with its name",
        )
    return offered


def _digest(source: HelmSource) -> tuple[str, Digest | None]:
    """The two parts of ``1.2.3@sha256:…`` or ``sha256:…``; no digest in any other version."""
    version, at, digest = source.version.rpartition("@")
    if not at and not digest.startswith(_SHA256):
        return source.version, None
    try:
        return version, Digest.parse(digest if digest.startswith(_SHA256) else "")
    except ValueError as error:
        raise DescriptionError(
            f"`version: {source.version}` of {source.chart}: {digest!r} is not a sha256 digest",
            fix="write a version, a range, sha256:DIGEST, or VERSION@sha256:DIGEST",
        ) from error


def _tag(version: str) -> str:
    return version.replace("+", "_")


def _version(tag: str) -> str:
    return tag.replace("_", "+")
