"""File trees as archives: tar files whose bytes depend on the files only."""

from __future__ import annotations

import io
import tarfile
import zlib
from typing import Final

from cluster_forge.foundation import gzip_files, tar_members
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.foundation.file_tree import FileTree

_LARGEST: Final = 256 << 20


def packed(tree: FileTree) -> bytes:
    """The files in a gzip file, not compressed: it is read at once, and versions of zlib compress differently."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in tree:
            entry = tarfile.TarInfo(path)
            entry.size = len(tree[path])
            entry.mode = 0o755 if path in tree.executable else 0o644
            archive.addfile(entry, io.BytesIO(tree[path]))
    return gzip_files.stored(buffer.getvalue())


def unpacked(archive: bytes, name: str) -> FileTree:
    """The files in what `packed` wrote; ``name`` is its name in messages. Which are executable is left out.

    Raises:
        ArchiveError: if it is anything else.
    """
    try:
        tar = gzip_files.unpacked(archive, _LARGEST)
        members = tar_members.members(tar)
        return FileTree(
            {member.name: tar[member.data : member.data + member.size] for member in members if member.is_file}
        )
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
        raise ArchiveError(f"{name} is damaged: {error}", fix="fetch it again: `cluster-forge mine`") from error
