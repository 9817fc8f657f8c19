"""Where charts and manifests are fetched from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.git_addresses import GitAddress, is_git
from cluster_forge.oci.artifact_address import ArtifactAddress
from cluster_forge.oci.reference import ImageReference
from cluster_forge.stack.component import HelmSource, KustomizeSource
from cluster_forge.stack.lock import LockedSource

if TYPE_CHECKING:
    from cluster_forge.stack.chart_dependencies import ChartDependency


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRelease:
    """One version of a chart, as its repository offers it.

    What a repository does not say is empty. ``created`` is its date (RFC 3339), ``kube_version`` the range of Kubernetes
    versions that it supports, in Helm's syntax.
    """

    version: str
    created: str = ""
    app_version: str = ""
    kube_version: str = ""
    deprecated: bool = False


class FolderCharts(Protocol):
    """Knows what charts in folders lack; archives have all of their dependencies."""

    def dependencies(self, source: HelmSource, chart: LockedSource) -> Sequence[ChartDependency]:
        """What a chart from a folder, in ``input/`` or in Git, declares to depend on and does not have in ``charts/``.

        Raises:
            DescriptionError, FetchError, ExceptionGroup: see `chart_dependencies.missing`.
        """


class Sources(FolderCharts, Protocol):
    """Fetches charts and manifests: from mirrors first, then from the network; local charts from ``input/``.

    What is fetched is put into the store.
    """

    def chart(self, source: HelmSource, locked: LockedSource | None) -> LockedSource:
        """Resolve a chart's version and fetch its archive; a ``locked`` version is fetched without resolving.

        A local folder is packed into a reproducible archive.

        Raises:
            FetchError, OfflineError, ArchiveError: if it cannot be fetched, or is not a chart.
            DescriptionError: if the folder does not exist, or no version is in range.
            LockError: if the digest differs from that of ``locked``; the message shows both.
        """

    def kustomization(self, source: KustomizeSource) -> LockedSource:
        """Pack the files of a kustomization in ``input/`` into a reproducible archive.

        Raises:
            DescriptionError: if one does not exist, or all are too large.
        """

    def manifest(self, url: str, locked: LockedSource | None) -> LockedSource:
        """Fetch a manifest from a URL; of a file or folder in Git, an archive (`tree_archives`) of its YAML and JSON files.

        Raises:
            FetchError, OfflineError, LockError: as for charts.
        """

    def image(
        self, reference: ImageReference, architectures: Sequence[str], locked: LockedSource | None
    ) -> LockedSource:
        """Fetch a base image for these architectures, as one archive (`oci.image_archive`); a ``locked`` one by its digest.

        Raises:
            FetchError, OfflineError, LockError: as for charts.
            ImageError: if it is not an image for all of the architectures.
        """

    def tree(self, address: GitAddress | ArtifactAddress, locked: LockedSource | None) -> LockedSource:
        """Fetch all files of a Git repository or an artifact in a registry, as an archive (`tree_archives`) with their paths.

        Links and submodules of a repository outside of the path of ``address`` are left out.

        Raises:
            FetchError, OfflineError, LockError: as for charts.
            ArchiveError, ImageError: if an artifact is not what it should be.
            DescriptionError: if there is no such REF or path.
        """


def fetch_catalog(sources: Sources, address: str, locked: LockedSource | None) -> LockedSource:
    """Fetch a catalog by its address (`stack.catalog_addresses`): YAML files from Git, or all files of an artifact.

    Raises:
        ForgeError: as `Sources.manifest` and `Sources.tree`.
    """
    if is_git(address):
        return sources.manifest(address, locked)
    return sources.tree(ArtifactAddress.parse(address), locked)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitOffer:
    """What a REF of a Git repository names now. ``tag`` is its name if it is a tag; ``tags`` are all of the repository."""

    commit: str
    tag: str = ""
    tags: Sequence[str] = ()


class Offers(Protocol):
    """Asks where sources come from what is there now; nothing is fetched.

    Offline, what a mirror has counts as what is there.
    """

    def releases(self, source: HelmSource) -> Sequence[ChartRelease]:
        """Every version of a chart that its repository or a mirror offers; offline those of mirrors.

        Raises:
            FetchError, OfflineError: if the repository cannot be asked.
            DescriptionError: if it has no such chart.
        """

    def in_git(self, address: GitAddress, locked: LockedSource | None) -> GitOffer:
        """The commit that an address means now; every repository is asked once.

        Raises:
            FetchError, OfflineError: if the repository cannot be asked.
            DescriptionError: if there is no such REF.
        """

    def image_digest(self, reference: ImageReference, locked: LockedSource | None) -> Digest | None:
        """The digest that the tag of an image names now; None if there is no such tag.

        Raises:
            FetchError, OfflineError: if the registry cannot be asked.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartIdentity:
    """Name and version of a chart, as its ``Chart.yaml`` has them."""

    name: str
    version: str


class Charts(Protocol):
    """Reads and packs chart archives (``.tgz``), without rendering them; messages call a chart ``name``."""

    def check_archive(self, data: bytes, name: str) -> ChartIdentity:
        """The identity of a chart that is safe to unpack.

        Raises:
            ArchiveError: if it is not a chart, or unsafe.
        """

    def pack_folder(self, files: FileTree, name: str) -> bytes:
        """A chart's files as a reproducible archive.

        Raises:
            ArchiveError: if they are not a chart.
        """

    def described(self, data: bytes, name: str) -> Mapping[str, str]:
        """``Chart.yaml`` and ``values.yaml`` of a chart and of its subcharts, by their paths in the chart's folder.

        Raises:
            ArchiveError: if it is not a chart, or unsafe.
        """
