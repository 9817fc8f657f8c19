"""The files of a gzip layer that came from elsewhere: plain ones with plain names, within limits, or none."""

from __future__ import annotations

import io
import tarfile
import zlib
from typing import Final

from cluster_forge.foundation import gzip_files
from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.file_tree import FileTree

LARGEST: Final = 1 << 30
"""Bytes of an unpacked layer."""
_MOST_FILES: Final = 100_000
_MOST_MEMBERS: Final = 20_000
"""Gzip members: `layer` writes one for each large file."""
_LONGEST_NAME: Final = 1_000
_FIX: Final = "it was not pushed by cluster-forge, or was damaged: push the stack again"


def files(layer: bytes) -> FileTree:
    """The files, as `layer.build` packs them: no links, no devices, no path that leads out, no name twice.

    Raises:
        ImageError: for anything else.
    """
    try:
        tar = gzip_files.unpacked(layer, LARGEST, members=_MOST_MEMBERS)
        with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
            return _tree(archive)
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        raise ImageError(f"the layer cannot be unpacked: {error}", fix=_FIX) from error


def _tree(archive: tarfile.TarFile) -> FileTree:
    content: dict[str, bytes] = {}
    executable: set[str] = set()
    folders: set[str] = set()
    for member in archive:
        name = member.name
        if len(content) + len(folders) >= _MOST_FILES or len(name) > _LONGEST_NAME:
            raise ValueError(f"more than {_MOST_FILES:,} files, or names of more than {_LONGEST_NAME:,} characters")
        if member.isdir():
            folders.add(name)
        elif member.isreg() and not member.issparse() and name not in content and name.isprintable():
            file = archive.extractfile(member)
            assert file is not None
            content[name] = file.read()
            if member.mode & 0o100:
                executable.add(name)
        else:
            raise ValueError(f"{name!r} is not a file, or is there twice")
    tree = FileTree(content, frozenset(executable))  # which refuses paths that lead out
    if inside := {parent for path in tree for parent in _parents(path)} & set(content):
        raise ValueError(f"{min(inside)!r} is both a file and a folder")
    return tree


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
