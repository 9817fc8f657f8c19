"""Charts in archives, and archives in charts: unpacked with a limit, and with other content for some files."""

from __future__ import annotations

import errno
import gzip
import io
import tarfile
from collections.abc import Callable
from typing import Final

LARGEST: Final = 200 << 20
"""Bytes of an unpacked archive, since nothing else has looked at the size of one in a chart; Helm takes 100 MiB."""
_PIECE: Final = 1 << 20

Read = Callable[[], bytes]


def unpacked(archive: bytes) -> bytes:
    """The tar in a gzip file.

    Raises:
        OSError, EOFError, zlib.error: if it is damaged; OSError with EFBIG if it is larger than `LARGEST`.
    """
    content = bytearray()
    with gzip.open(io.BytesIO(archive)) as file:
        while piece := file.read(_PIECE):  # a read of LARGEST would reserve so much memory at once
            content += piece
            if len(content) > LARGEST:
                raise OSError(errno.EFBIG, f"more than {LARGEST >> 20} MiB unpacked")
    return bytes(content)


def rewritten(content: bytes, rewrite: Callable[[str, Read], bytes | None]) -> bytes | None:
    """The tar ``content``, packed, with other content for some files; None if no file gets any.

    ``rewrite`` gets the path of each file and what reads it, and gives its new content, or None to leave it as it is. All
    else stays byte for byte. The gzip is not compressed: it is read at once.

    Raises:
        tarfile.TarError: if it is not a tar.
    """
    pieces: list[bytes] = []
    done = 0
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            after = rewrite(member.name, file.read) if file else None
            if after is not None:
                pieces += [content[done : member.offset], _header(member, len(after)), after, bytes(-len(after) % 512)]
                done = archive.offset  # where the next header begins
    return gzip.compress(b"".join((*pieces, content[done:])), compresslevel=0, mtime=0) if pieces else None


def _header(member: tarfile.TarInfo, size: int) -> bytes:
    """The header of a plain file instead of ``member``: what says more of the former content is left out."""
    header = tarfile.TarInfo(member.name)
    header.size, header.mode, header.mtime = size, member.mode, member.mtime
    return header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
