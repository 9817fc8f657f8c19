"""Cheap evidence that files may have changed, without reading them: for `forge --watch`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from cluster_forge.adapters.disk import walking

Stamp = tuple[int, int, int, int]
"""A file's inode, size, and times of content and of status change, in nanoseconds: the last cannot be set by a program."""


def of(folder: str) -> Mapping[str, Stamp]:
    """The stamps of every file below a directory, links followed, by their paths; files that vanish meanwhile have none."""
    stamps: dict[str, Stamp] = {}
    for path, entry in walking.scan(folder, lambda _: None):
        with contextlib.suppress(OSError):
            status = entry.stat()
            stamps[path] = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return stamps
