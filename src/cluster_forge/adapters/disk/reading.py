"""Files and trees read whole, with a limit on their size."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import walking
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree

LARGEST: Final = 64 << 20
"""Bytes of a file in the workspace, which is held in memory. Helm's own limit for a file of a chart is lower."""

_NO_WAITING: Final = getattr(os, "O_NONBLOCK", 0)


def file(path: str, limit_bytes: int | None = None) -> tuple[bytes, os.stat_result]:
    """A file's content, and its status before it was read.

    Raises:
        WorkspaceError: if it is larger than ``limit_bytes``.
        OSError: if it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | _NO_WAITING)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):  # a pipe since it was listed
            raise walking.special_file(path)
        if limit_bytes is not None and status.st_size > limit_bytes:
            raise WorkspaceError(
                f"file too large: {status.st_size >> 20} MiB (limit {limit_bytes >> 20} MiB)",
                where=path,
                fix="move it out of what the description names, or give it a name that begins with a dot",
            )
        content = os.read(descriptor, status.st_size + 1)
        if len(content) != status.st_size:  # longer than one read, or still growing
            while more := os.read(descriptor, 1 << 24):
                content += more
    finally:
        os.close(descriptor)
    return content, status


def is_executable(status: os.stat_result) -> bool:
    """Whether its owner may execute a file."""
    return bool(status.st_mode & stat.S_IXUSR)


def tree(paths: Iterable[tuple[str, str]], limit_bytes: int | None = None) -> FileTree:
    """The files that `walking.walk` yields, as a value.

    Raises:
        WorkspaceError: if a file is larger than ``limit_bytes``.
        OSError: if one cannot be read.
    """
    files: dict[str, bytes] = {}
    executable: set[str] = set()
    for name, path in paths:
        files[name], status = file(path, limit_bytes)
        if is_executable(status):
            executable.add(name)
    return FileTree(files, frozenset(executable))


def is_current(folder: Path, wanted: FileTree) -> bool:
    """Whether ``folder`` holds exactly that tree and no link. Sizes are compared first: they differ in most cases."""
    if not folder.is_dir():
        return not wanted.files and not os.path.lexists(folder)
    try:
        paths = dict(walking.walk(folder, (), hidden=True))
        sizes = {name: Path(path).stat().st_size for name, path in paths.items()}
        return bool(paths) and sizes == {name: len(wanted[name]) for name in wanted} and tree(paths.items()) == wanted
    except (WorkspaceError, ExceptionGroup, OSError):
        return False
