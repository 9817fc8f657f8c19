"""A local chart packed into an archive whose bytes depend on its files only."""

from __future__ import annotations

from cluster_forge.adapters.charts import chart_yaml, helmignore
from cluster_forge.foundation import tree_archives
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.foundation.file_tree import FileTree


def pack_folder(files: FileTree, name: str) -> bytes:
    """A chart's files as a ``.tgz``, without what its ``.helmignore`` matches; ``name`` is its name in messages.

    Raises:
        ArchiveError: if there is no ``Chart.yaml`` with name and version, or ``.helmignore`` is invalid.
    """
    rules = helmignore.parse(files[".helmignore"] if ".helmignore" in files.files else b"", f"{name}/.helmignore")
    if "Chart.yaml" not in files.files:
        raise ArchiveError(
            f"{name} is not a chart: it has no Chart.yaml",
            fix="name the directory of a chart; plain manifests belong under `manifests`",
        )
    chart_yaml.identity(files["Chart.yaml"], name)
    kept = FileTree(
        {path: content for path, content in files.files.items() if not rules.ignores(path)}, files.executable
    )
    return tree_archives.packed(kept.under("chart"))
