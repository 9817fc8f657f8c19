"""Chart archives as bytes: those of others checked, local folders packed.

The module as a whole is what `ChartSources` takes as its ``charts``, and `ports.Charts`. What it needs (yaml, tarfile) is imported when there
is an archive to read or to make: most runs have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster_forge.adapters.charts.archive import ChartIdentity
    from cluster_forge.foundation.file_tree import FileTree


def check_archive(data: bytes, name: str) -> ChartIdentity:
    """See `archive.check_archive`."""
    from cluster_forge.adapters.charts import archive  # noqa: PLC0415

    return archive.check_archive(data, name)


def described(data: bytes, name: str) -> dict[str, str]:
    """See `ports.Charts`."""
    from cluster_forge.adapters.charts import archive  # noqa: PLC0415

    return archive.described(data, name)


def pack_folder(files: FileTree, name: str) -> bytes:
    """See `folder.pack_folder`."""
    from cluster_forge.adapters.charts import folder  # noqa: PLC0415

    return folder.pack_folder(files, name)
