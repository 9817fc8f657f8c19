"""Dependencies of a chart that are folders beside it (``repository: file://../common``), packed into its ``charts/``."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cluster_forge.adapters.sources.chart_repositories import NewestInRange
from cluster_forge.foundation.errors import ArchiveError, DescriptionError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.sources import Charts

if TYPE_CHECKING:
    from cluster_forge.stack.chart_dependencies import ChartDependency

_DEEPEST: Final = 5
"""Charts that depend on each other by folders."""

ReadFolder = Callable[[str], FileTree | None]
"""The files of a folder by its path, or None if there is none. What is outside of the workspace or repository is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartFolders:
    """Charts in folders of one workspace, or of one commit of a repository, as archives."""

    read: ReadFolder
    charts: Charts
    newest_in_range: NewestInRange

    def archive(self, files: FileTree, place: str, shown: str, depth: int = _DEEPEST) -> bytes:
        """The chart in ``files`` packed, with what it depends on by ``file://``; ``place`` is the path of its folder.

        Raises:
            ArchiveError: if it, or such a dependency, is not a chart.
            DescriptionError, FetchError, ExceptionGroup: as for `chart_dependencies.missing`; if a folder is not there.
        """
        added = {}
        for dependency in _missing(files, shown):
            if dependency.folder:
                version, packed = self._packed(dependency, place, shown, depth)
                added[dependency.path(version)] = packed
        whole = replace(files, files={**files.files, **added}) if added else files
        return self.charts.pack_folder(whole, shown)

    def _packed(self, dependency: ChartDependency, place: str, shown: str, depth: int) -> tuple[str, bytes]:
        folder = posixpath.normpath(posixpath.join(place, dependency.folder))
        is_outside = folder.startswith(("../", "/")) or folder == ".."
        files = None if is_outside else self.read(folder)
        if files is None or not depth:
            problem = f"there is no folder {folder}" if depth else "charts that depend on each other in a cycle"
            problem = f"{folder} is outside of what is read" if is_outside else problem
            raise DescriptionError(
                f"{shown}: its dependency {dependency.name} is in {dependency.repository}: {problem}",
                where=dependency.where,
                fix="correct `repository` in Chart.yaml; it is relative to the chart's folder",
            )
        remote = [one.name for one in _missing(files, folder) if not one.folder]
        if remote:  # Helm leaves them out without a word
            raise ArchiveError(
                f"{shown}: its dependency {folder} depends on {', '.join(remote)}, which is not in its charts/",
                where=dependency.where,
                fix=f"fetch it there: `helm dependency build {folder}`; or declare it in {shown}, too",
            )
        archive = self.archive(files, folder, folder, depth - 1)
        version = self.charts.check_archive(archive, folder).version
        if dependency.version and not self.newest_in_range(dependency.version, [version]):
            raise DescriptionError(
                f"{shown} wants {dependency.name} {dependency.version}, and {folder} is version {version}",
                where=dependency.where,
                fix="correct one of the two, then `helm dependency update`",
            )
        return version, archive


def _missing(files: FileTree, shown: str) -> Sequence[ChartDependency]:
    """See `chart_dependencies.missing`; most charts declare nothing."""
    declared = (files.files.get(path, b"") for path in ("Chart.yaml", "requirements.yaml"))
    if not any(b"dependencies" in content for content in declared):
        return ()
    from cluster_forge.stack import chart_dependencies  # noqa: PLC0415 - 0.05 s for yaml

    return chart_dependencies.missing(files.files, files.files.__getitem__, shown)
