"""File trees in archives (``.tgz``) whose bytes depend on the files only."""

from __future__ import annotations

import io
import tarfile
import zlib
from typing import Final

from cluster_forge.foundation import gzip_files, tar_members
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.foundation.file_tree import FileTree

LARGEST: Final = 200 << 20
"""Bytes of an unpacked archive."""


def packed(tree: FileTree) -> bytes:
    """The tree as an archive: sorted, without times and owners, and not compressed, as versions of zlib differ."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in tree.files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o755 if path in tree.executable else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip_files.stored(buffer.getvalue())


def unpacked(archive: bytes) -> dict[str, bytes]:
    """The files of an archive, by path. What is not a file is left out.

    Raises:
        ArchiveError: if it is damaged, too large, or has a path that leads out of it.
    """
    try:
        tar = gzip_files.unpacked(archive, LARGEST)
        members = tar_members.members(tar) if tar.strip(b"\0") else ()
        tree = FileTree({file.name: tar[file.data : file.data + file.size] for file in members if file.is_file})
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
        raise ArchiveError(f"the archive cannot be unpacked: {error}", fix="fetch it again") from error
    return dict(tree.files)
