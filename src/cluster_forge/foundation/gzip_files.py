"""Gzip files (RFC 1952): unpacked with a limit, the usual one quickly, and packed the same on every machine."""

from __future__ import annotations

import errno
import struct
import zlib
from collections.abc import Iterator
from typing import Final

import deflate

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no name, no time, an unknown system."""
_MEMBER: Final = _HEADER[:3]
_HEADER_CHECKSUM: Final = 0x02
_SHORTEST: Final = 18
_STORED: Final = 0xFFFF
"""Bytes of a stored block (RFC 1951, 3.2.4)."""


_CHUNK: Final = 1 << 18
_MOST_MEMBERS: Final = 1_000


def unpacked(packed: bytes, most: int, *, members: int = _MOST_MEMBERS) -> bytes:
    """The content, of ``most`` bytes at most, in at most so many ``members``.

    Raises:
        EOFError: if it is truncated.
        zlib.error: if it is damaged, or not gzip.
        OSError: with EFBIG if it is larger.
    """
    single = single_member(packed, most)
    if single is not None:
        return single
    parts: list[bytes] = []
    size = 0
    for part in _inflated(packed, members):
        parts.append(part)
        size += len(part)
        if size > most:
            raise OSError(errno.EFBIG, f"more than {most >> 20} MiB unpacked")
    return b"".join(parts)


def _inflated(packed: bytes, most_members: int) -> Iterator[bytes]:
    """The content, chunk by chunk. Members (RFC 1952 allows several) are joined; trailing zeros are ignored."""
    stream = zlib.decompressobj(wbits=31)
    members = 0
    for start in range(0, len(packed), _CHUNK):
        rest, part = packed[start : start + _CHUNK], b""
        while rest or len(part) == _CHUNK:
            if stream.eof:
                rest, part = rest.lstrip(b"\0"), b""
                stream = zlib.decompressobj(wbits=31) if rest else stream
                members += 1
                if members > most_members:  # each costs as much as a copy of the rest
                    raise zlib.error(f"more than {most_members:,} gzip members")
            else:
                part = stream.decompress(rest, _CHUNK)
                rest = stream.unused_data or stream.unconsumed_tail
                yield part
    if not stream.eof:
        raise EOFError("it ends too early")


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
