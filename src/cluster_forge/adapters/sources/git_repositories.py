"""Charts and manifests in Git repositories, ``git+https://host/repo.git@REF//path``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from cluster_forge.adapters.sources.chart_repositories import FetchedChart, NewestInRange
from cluster_forge.adapters.sources.folder_dependencies import ChartFolders
from cluster_forge.foundation import tree_archives
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.git_addresses import GitAddress
from cluster_forge.ports.sources import ChartRelease, Charts, GitOffer
from cluster_forge.stack.component import HelmSource
from cluster_forge.stack.lock import LockedSource

_YAML: Final = (".yaml", ".yml", ".json")


class GitTrees(Protocol):
    """Where the files come from; see `adapters.git.remote_trees.RemoteTrees`."""

    def commit(self, address: GitAddress, locked: str = "") -> str:
        """The commit that an address means: the ``locked`` one, unless it is that of a tag which has moved."""

    def offer(self, address: GitAddress) -> GitOffer:
        """What an address means now."""

    def files(self, address: GitAddress, commit: str, *, whole: bool = False) -> FileTree:
        """The files at or below an address, by their paths in the repository; ``whole`` adds all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRepositories:
    """`ChartRepositories` by ``git+https://``, ``git+ssh://``, ``git+file://`` and ``git+http://``; manifests there, too.

    A chart is a folder below the path of the address, and is packed as one in ``input/``. ``trees`` and ``charts`` are
    called when something is fetched.
    """

    trees: Callable[[], GitTrees]
    charts: Callable[[], Charts]
    newest_in_range: NewestInRange

    def fetch(self, source: HelmSource, locked: LockedSource | None) -> FetchedChart:
        address = source.git
        assert address
        commit, files = self._files(address, locked)
        archive = self._packed(address, commit, _below(files, address.path))
        version = self.charts().check_archive(archive, str(address)).version
        if source.version and not self.newest_in_range(source.version, [version]):
            raise DescriptionError(
                f"{address} is version {version}, and `version: {source.version}` is asked for",
                fix="remove `version`: the REF in the address decides; or name another REF",
            )
        return FetchedChart(archive=archive, version=commit, promised="")

    def _packed(self, address: GitAddress, commit: str, files: FileTree) -> bytes:
        def read(folder: str) -> FileTree:
            beside = replace(address, path=folder)
            return _below(self.trees().files(beside, commit), folder)

        folders = ChartFolders(read=read, charts=self.charts(), newest_in_range=self.newest_in_range)
        return folders.archive(files, address.path, str(address))

    def releases(self, source: HelmSource) -> Sequence[ChartRelease]:  # noqa: ARG002 - the port's
        """Nothing: what a repository offers is its branches and tags, see `offer`."""
        return ()

    def offer(self, address: GitAddress) -> GitOffer:
        """What an address means now; see `ports.Offers.in_git`."""
        return self.trees().offer(address)

    def manifests(self, address: GitAddress, locked: LockedSource | None) -> tuple[str, bytes]:
        """The commit, and the archive of the YAML and JSON files at or below an address.

        Raises:
            DescriptionError: if there is none.
        """
        commit, files = self._files(address, locked)
        texts = FileTree({path: content for path, content in files.files.items() if path.endswith(_YAML)})
        if not texts:
            raise DescriptionError(
                f"{address} has no YAML or JSON file",
                fix="name a file with Kubernetes objects, or a folder of such files",
            )
        return commit, tree_archives.packed(texts)

    def tree(self, address: GitAddress, locked: LockedSource | None) -> tuple[str, bytes]:
        """The commit, and the archive of all files of the repository."""
        commit, files = self._files(address, locked, whole=True)
        return commit, tree_archives.packed(files)

    def _files(self, address: GitAddress, locked: LockedSource | None, *, whole: bool = False) -> tuple[str, FileTree]:
        trees = self.trees()
        commit = trees.commit(address, locked.version if locked else "")
        return commit, trees.files(address, commit, whole=whole)


def _below(files: FileTree, folder: str) -> FileTree:
    """The files of a folder by their paths in it."""
    if not folder:
        return files
    start = len(folder) + 1
    return FileTree(
        {path[start:]: content for path, content in files.files.items() if path.startswith(f"{folder}/")},
        frozenset(path[start:] for path in files.executable),
    )
