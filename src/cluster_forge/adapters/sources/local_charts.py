"""Charts in ``input/``: a directory, packed as it is now, or an archive."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cluster_forge.adapters.sources.chart_repositories import NewestInRange
from cluster_forge.adapters.sources.folder_dependencies import ChartFolders
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.sources import Charts
from cluster_forge.stack.component import HelmSource


class ChartFiles(Protocol):
    """Where local charts are read from; see `ports.Workspace`."""

    def read(self, path: str) -> bytes | None: ...
    def read_chart(self, folder: str) -> FileTree | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCharts:
    """Local charts as archives. ``charts`` is called when a directory is packed: its imports take 0.02 s."""

    files: ChartFiles
    charts: Callable[[], Charts]
    newest_in_range: NewestInRange

    def archive(self, source: HelmSource) -> bytes:
        """The archive of a local chart.

        Raises:
            DescriptionError: if there is none.
            ArchiveError: if the directory holds no chart.
        """
        chart = source.chart
        path = posixpath.normpath(f"input/{chart}")
        if re.match(r"\w+://", chart):
            raise DescriptionError(
                f"`chart: {without_credentials(chart)}` is an address; it must be a chart's name or a path",
                fix="write `repository: ADDRESS` and `chart: NAME`",
            )
        tree = self.files.read_chart(path)
        archive = self.files.read(path) if tree is None else self._packed(tree, path)
        if archive is None:
            raise DescriptionError(
                f"there is no chart at {path}",
                fix="without `repository`, `chart` is a directory or .tgz file relative to input/",
            )
        return archive

    def _packed(self, tree: FileTree, path: str) -> bytes:
        folders = ChartFolders(read=self.files.read_chart, charts=self.charts(), newest_in_range=self.newest_in_range)
        return folders.archive(tree, path, path)
