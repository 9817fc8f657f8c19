"""Gzip files (RFC 1952): a quick way to unpack the usual one, and one to pack that is the same on every machine."""

from __future__ import annotations

import struct
from typing import Final

import deflate

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no name, no time, an unknown system."""
_MEMBER: Final = _HEADER[:3]
_HEADER_CHECKSUM: Final = 0x02
_SHORTEST: Final = 18
_STORED: Final = 0xFFFF
"""Bytes of a stored block (RFC 1951, 3.2.4)."""


def single_member(packed: bytes, most: int) -> bytes | None:
    """The content of a file that certainly is one member, of ``most`` bytes at most; None if zlib must say what it is.

    libdeflate stops after the first member and does not say where. What would begin another one is not in such a file, and
    its last bytes are the checksum and the size of all that it contains. (What stands between two copies of them is lost,
    where zlib would call the file damaged.)
    """
    if len(packed) < _SHORTEST or packed[3] & _HEADER_CHECKSUM or packed.find(_MEMBER, 1) >= 0:
        return None
    checksum, size = struct.unpack("<II", packed[-8:])
    if not 0 < size <= most:
        return None
    try:
        content = bytes(deflate.gzip_decompress(packed))
    except (ValueError, deflate.DeflateError):
        return None
    return content if len(content) == size and deflate.crc32(content) == checksum else None


def stored(content: bytes) -> bytes:
    """The content in a file that is not compressed: versions of zlib compress differently."""
    parts = [_HEADER]
    for start in range(0, len(content) or 1, _STORED):
        block = content[start : start + _STORED]
        is_last = start + _STORED >= len(content)
        parts += [struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF), block]
    parts.append(struct.pack("<II", deflate.crc32(content), len(content) & 0xFFFFFFFF))
    return b"".join(parts)
