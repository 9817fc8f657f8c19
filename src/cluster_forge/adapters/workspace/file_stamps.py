"""Cheap evidence that files may have changed, without reading them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import NamedTuple

from cluster_forge.adapters.disk import walking


class Stamp(NamedTuple):
    """What changes with every change of a file. Times are in nanoseconds; no program can set ``changed`` (ctime)."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def below(folder: str) -> Mapping[str, Stamp]:
    """The stamps of every file below a directory, links followed, by their paths; files that vanish meanwhile have none."""
    stamps: dict[str, Stamp] = {}
    for path, entry in walking.scan(folder, lambda _: None):
        with contextlib.suppress(OSError):
            stamps[path] = Stamp.of(entry.stat())
    return stamps
