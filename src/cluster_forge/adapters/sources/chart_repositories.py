"""What a kind of chart repository does, and how a version is chosen among those that it offers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.foundation.versions import newest_first, spelled
from cluster_forge.ports.sources import ChartRelease
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import LockedSource

if TYPE_CHECKING:
    from cluster_forge.ports.registry import Registry

_SHOWN: Final = 8
"""Names or versions in a message."""

RegistryAt = Callable[[str], "Registry"]
"""Gives registries; called with an address, whose login is used if it has one. Importing what it takes costs 0.05 s."""

NewestInRange = Callable[[str, Sequence[str]], str | None]
"""The newest version in a range as Helm reads it, with pre-releases only where it names one (`ports.HelmEngine`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedChart:
    """An archive, the version that the lock gets (empty: that of its ``Chart.yaml``), and the version that its
    ``Chart.yaml`` must have (empty: any).
    """

    archive: bytes
    version: str
    promised: str


class ChartRepositories(Protocol):
    """The chart repositories of one kind. Safe for several threads."""

    def fetch(self, source: HelmSource, locked: LockedSource | None) -> FetchedChart:
        """The archive of the locked version; else of the version that the description names, or the newest in its range.

        Raises:
            FetchError, OfflineError: if it cannot be fetched.
            DescriptionError: if there is no such chart or version.
        """

    def releases(self, source: HelmSource) -> Sequence[ChartRelease]:
        """Every version of the chart that is offered.

        Raises:
            FetchError, OfflineError, DescriptionError: as for `fetch`.
        """


def choose(
    source: HelmSource, locked: LockedSource | None, versions: Collection[str], newest_in_range: NewestInRange
) -> str | None:
    """The locked version; else the described one, exactly or as the newest in its range. None if there is none, and for
    a digest, which is not a version.
    """
    wanted = locked.version if locked else source.version
    exact = spelled(wanted, versions)
    if exact or locked or not versions or "sha256:" in wanted:
        return exact
    return newest_in_range(wanted or "*", sorted(versions))


def no_version(source: HelmSource, locked: LockedSource | None, versions: Iterable[str]) -> DescriptionError:
    """The error for a version that is not offered."""
    wanted = (
        f"version {locked.version!r} (from the lock)" if locked else (source.version and f"version {source.version!r}")
    )
    available = newest_first(versions)
    hint = "" if locked else did_you_mean(source.version, available)
    return DescriptionError(
        f"{without_credentials(source.repository)} has no {wanted or 'stable version'} of {source.chart}{hint}",
        fix=f"its newest versions are {few(available)}",
    )


def few(words: Sequence[str]) -> str:
    """The first words of a list, and how many more there are."""
    return ", ".join(words[:_SHOWN]) + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
