"""A file tree written into a new directory; files that did not change are hard links to their former copies."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cluster_forge.adapters.disk import atomic_write
from cluster_forge.foundation.file_tree import FileTree


def write(folder: str, tree: FileTree, former: str) -> None:
    """Write a tree into a directory that holds none of its files yet; nothing is flushed.

    A file that exists in ``former`` with the same content and mode is linked instead of written, so that little reaches
    the disk when little changed. Existing files are never written into, so a link is as good as a copy.

    Raises:
        OSError: if something cannot be written.
    """
    parents = set()
    for name, content in tree.files.items():
        path = f"{folder}/{name}"
        parent = path.rpartition("/")[0]
        if parent not in parents:
            Path(parent).mkdir(parents=True, exist_ok=True)
            parents.add(parent)
        is_executable = name in tree.executable
        if not _is_linked(f"{former}/{name}", path, content, is_executable=is_executable):
            with atomic_write.create(path, 0o777 if is_executable else 0o666) as file:
                file.write(content)


def _is_linked(former: str, path: str, content: bytes, *, is_executable: bool) -> bool:
    """Link ``path`` to ``former`` if that has the same content and mode; whether it was linked."""
    try:
        status = os.lstat(former)
        if not stat.S_ISREG(status.st_mode) or status.st_size != len(content):
            return False
        if bool(status.st_mode & stat.S_IXUSR) != is_executable or Path(former).read_bytes() != content:
            return False
        os.link(former, path)
    except OSError:  # missing, unreadable, or a file system without links
        return False
    return True
