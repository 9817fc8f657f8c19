"""Where charts and manifests are fetched from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cluster_forge.foundation.digest import Digest
from cluster_forge.stack.model import HelmSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A source as it was found: resolved version (empty for manifests and folders) and the digest of its bytes."""

    address: str
    version: str
    digest: Digest


class Sources(Protocol):
    """Where charts and manifests come from: mirrors first, then the network; folders and files of ``input/``.

    Every method leaves the bytes in the store.
    """

    def chart(self, source: HelmSource, locked: Pinned | None) -> Pinned:
        """Resolve a chart's version and fetch its archive. ``locked`` is fetched as it is, never resolved anew.

        A local folder is packed into a reproducible archive.

        Raises:
            FetchError, OfflineError, ArchiveError, DescriptionError (no such folder, no version in range)
            LockError: if what is found has another digest than ``locked``; both are shown.
        """

    def manifest(self, url: str, locked: Pinned | None) -> Pinned:
        """Fetch a manifest from a URL.

        Raises:
            FetchError, OfflineError, LockError: as for charts.
        """


class Charts(Protocol):
    """What is known about chart archives without rendering them."""

    def described(self, data: bytes, name: str) -> Mapping[str, str]:
        """``Chart.yaml`` and ``values.yaml`` of a chart and of the charts in it, by their paths below its folder.

        Raises:
            ArchiveError: if it is no chart, or unsafe; ``name`` is what the message calls it.
        """
