"""Headers of files and folders in a POSIX tar archive, owned by root (IEEE Std 1003.1, ``pax``, "ustar Interchange Format").

They have the same bytes as those of `tarfile`, which takes as long for one as for compressing a small file.
"""

from __future__ import annotations

import tarfile
from typing import Final

BLOCK: Final = 512
"""Bytes of a header; the content of a file is padded to a multiple of it."""
_LONGEST_NAME: Final = 100
_LONGEST_PREFIX: Final = 155
_TOO_LARGE: Final = 8**11
"""Size and time have eleven octal digits."""
_NO_OWNER: Final = b"0000000\0" * 2
_NO_LINK: Final = bytes(100)
_MAGIC: Final = b"ustar\x0000"
_NO_NAMES: Final = bytes(2 * 32 + 2 * 8)
"""Of the owner and its group, and the numbers of a device."""
_CHECKSUM_OF_SPACES: Final = 8 * ord(" ")
"""The checksum is taken with spaces in its own field."""


def of_file(path: str, size: int, mtime: int, *, executable: bool) -> bytes:
    """The header of a file of ``size`` bytes; ``mtime`` is in seconds since 1970."""
    return _header(path, tarfile.REGTYPE, 0o755 if executable else 0o644, size, mtime)


def of_folder(path: str, mtime: int) -> bytes:
    """The header of a folder."""
    return _header(f"{path}/", tarfile.DIRTYPE, 0o755, 0, mtime)


def _header(name: str, kind: bytes, mode: int, size: int, mtime: int) -> bytes:
    """An ustar header, or pax headers for what that cannot hold."""
    split = _split(name)
    if split is None or size >= _TOO_LARGE or not 0 <= mtime < _TOO_LARGE:
        return _pax(name, kind, mode, size, mtime)
    prefix, rest = split
    start = b"%b%07o\0%b%011o\0%011o\0" % (rest.ljust(_LONGEST_NAME, b"\0"), mode, _NO_OWNER, size, mtime)
    end = b"".join((kind, _NO_LINK, _MAGIC, _NO_NAMES, prefix))
    return (b"%b%06o\0 %b" % (start, sum(start) + sum(end) + _CHECKSUM_OF_SPACES, end)).ljust(BLOCK, b"\0")


def _split(name: str) -> tuple[bytes, bytes] | None:
    """The prefix of a name and its rest, as ustar holds them; None if it cannot."""
    if not name.isascii():
        return None
    encoded = name.encode()
    if len(encoded) <= _LONGEST_NAME:
        return b"", encoded
    end = encoded.find(b"/", len(encoded) - _LONGEST_NAME - 1)
    return (encoded[:end], encoded[end + 1 :]) if 0 <= end <= _LONGEST_PREFIX else None


def _pax(name: str, kind: bytes, mode: int, size: int, mtime: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.size, entry.mtime = kind, mode, size, mtime
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
