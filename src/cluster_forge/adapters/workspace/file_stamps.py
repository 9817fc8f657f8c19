"""What tells that a file may have changed, without reading it: for whoever waits for that."""

from __future__ import annotations

import os
from collections.abc import Mapping

Mark = tuple[int, int, int, int]
"""A file's number, size, and times of content and of state, in nanoseconds: the last cannot be set by hand."""


def of(folder: str) -> Mapping[str, Mark]:
    """Of every file below a folder, links followed, by its path from there; of what vanishes meanwhile there is none."""
    found: dict[str, Mark] = {}
    todo = [("", folder, 0)]
    while todo:
        start, place, depth = todo.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir() and depth < _DEEPEST:
                        todo.append((f"{start}{entry.name}/", entry.path, depth + 1))
                    else:
                        state = entry.stat()
                        found[start + entry.name] = (
                            state.st_ino,
                            state.st_size,
                            state.st_mtime_ns,
                            state.st_ctime_ns,
                        )
        except OSError:
            continue
    return found


_DEEPEST = 40
"""Links may lead in a circle."""
