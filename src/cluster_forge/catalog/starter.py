"""The starter stack: a small platform of our own, packaged, complete without a network."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from cluster_forge.foundation.file_tree import FileTree


def tree() -> FileTree:
    """The starter's ``input/`` folder."""
    return FileTree(dict(_walk(files("cluster_forge.catalog") / "data" / "starter" / "input", "")))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, f"{path}/")
        else:
            yield path, entry.read_bytes()
