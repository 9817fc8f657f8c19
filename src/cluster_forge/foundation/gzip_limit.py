"""Unpacking gzip up to a limit: a few bytes may stand for gigabytes."""

from __future__ import annotations

import gzip
import io

_CHUNK = 1 << 20


def unpacked(content: bytes, most: int) -> bytes | None:
    """The content of a gzip file of one or several members; None if it is larger than ``most`` bytes.

    Raises:
        OSError, EOFError, zlib.error: if it is damaged.
    """
    parts: list[bytes] = []
    size = 0
    with gzip.open(io.BytesIO(content)) as file:
        while part := file.read(_CHUNK):  # one read of the limit would take as much memory
            size += len(part)
            if size > most:
                return None
            parts.append(part)
    return b"".join(parts)
