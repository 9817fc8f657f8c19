"""Archives in charts, unpacked with a limit: nothing else has looked at their size."""

from __future__ import annotations

import errno
import gzip
import io
from typing import Final

LARGEST: Final = 200 << 20
"""Bytes of an unpacked archive; Helm takes 100 MiB."""
_PIECE: Final = 1 << 20


def unpacked(archive: bytes) -> bytes:
    """The content of a gzip file.

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
