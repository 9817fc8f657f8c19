"""Content compressed once for a Git pack and for a layer: a zlib stream and a gzip member wrap the same deflate stream.

libdeflate (package ``deflate``, pinned) gives the same bytes on every processor, for one version of it, unlike the zlib
that the interpreter is linked with. The level is the same for both (ADR 0010, ADR 0026).
"""

from __future__ import annotations

import struct
from typing import Final

import deflate

_LEVEL: Final = 7
METHOD: Final = f"libdeflate {deflate.__version__} {_LEVEL}"
"""Names what the bytes depend on, beside the content."""
_ZLIB_HEADER, _ZLIB_TRAILER = 2, 4
_GZIP_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
"""Without a name, a time and flags; of an unknown system."""
_GZIP_TRAILER: Final = struct.Struct("<II")
"""The CRC-32 of the content, and its length modulo 2^32."""


def zlib_stream(content: bytes) -> bytes:
    """``content`` as RFC 1950 holds it."""
    return bytes(deflate.zlib_compress(content, _LEVEL))


def gzip_member(content: bytes) -> bytes:
    """``content`` as RFC 1952 holds it."""
    return bytes(deflate.gzip_compress(content, _LEVEL))


def gzip_member_of(stream: bytes, content: bytes) -> bytes:
    """The `gzip_member` of ``content``, without compressing it again: ``stream`` is its `zlib_stream`."""
    trailer = _GZIP_TRAILER.pack(deflate.crc32(content), len(content) & 0xFFFFFFFF)
    return b"".join((_GZIP_HEADER, memoryview(stream)[_ZLIB_HEADER:-_ZLIB_TRAILER], trailer))
