"""The members of a tar archive and where they are: a strict scan of plain headers, and tarfile for all others."""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.errors import ArchiveError

_BLOCK: Final = 512
_END: Final = bytes(_BLOCK)
_MOST: Final = 20_000
"""Members that are scanned before the caller sees one."""
_CHECKSUM: Final = slice(148, 156)
_GLOBAL: Final = {"path", "linkpath", "size"}
"""Keys of a global header that tarfile follows and Go does not."""
_PLAIN: Final = re.compile(
    rb"(?P<name>[^\0].{99})(?:[0-7]{7}[\0 ]){3}"  # mode, owner, group
    rb"(?P<size>[0-7]{11})[\0 ][0-7]{11}[\0 ]"  # size, time
    rb"(?P<checksum>[0-7]{6})\0 (?P<type>[05]).{100}"  # …, link
    rb"(?:ustar\x0000.{64}|ustar  \0.{64}(?=.{16}\0))"  # POSIX, or GNU without a prefix; owner's and group's names
    rb"(?:[0-7]{7}[\0 ]|\0{8}){2}(?P<prefix>.{155})\0{12}",  # device
    re.S,
)
"""A header that all readers of tar read alike (POSIX.1-1988, ``ustar``): of a file or a directory, with octal numbers."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member: its headers begin at ``start``, its content at ``data``, the next member's headers at ``end``."""

    name: str
    is_file: bool
    size: int
    start: int
    data: int
    end: int


def members(tar: bytes) -> tuple[Member, ...]:
    """The members in their order.

    Raises:
        tarfile.TarError: if it is not a tar.
        ArchiveError: if it has what Helm reads as something else: a sparse file, a name that is not a plain path, a member
            that is a file to Go but not to tarfile.
    """
    plain = plain_members(tar)
    listed = tuple(_other(tar)) if plain is None else plain
    for member in listed:
        if member.is_file and ("\\" in member.name or posixpath.normpath(member.name) != member.name):
            raise _unclear(f"a file whose name is not a plain path, {member.name!r}")
    return listed


def plain_members(tar: bytes) -> tuple[Member, ...] | None:
    """The same as of tarfile, which is slower; None if a header is not plain, the end is not clean, or there are very many."""
    plain: list[Member] = []
    start = 0
    while header := _PLAIN.match(tar, start):
        block = header[0]
        is_intact = int(header["checksum"], 8) == sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ")
        if not is_intact or len(plain) == _MOST:
            return None
        is_file, size, data = header["type"] == b"0", int(header["size"], 8), start + _BLOCK
        end = data + -(-size // _BLOCK) * _BLOCK if is_file else data
        prefix, name = _text(header["prefix"]), _text(header["name"])
        name = f"{prefix}/{name}" if prefix else name
        plain.append(Member(name if is_file else name.rstrip("/"), is_file, size, start, data, end))
        start = end
    is_clean = plain and (tar[start : start + _BLOCK] == _END or start == len(tar))
    return tuple(plain) if is_clean else None


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode(errors="surrogateescape")


def _other(tar: bytes) -> Iterator[Member]:
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        for member in archive:
            if member.issparse():
                raise _unclear("a sparse file")
            if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
                raise _unclear(f"a member that is neither a file nor a directory nor a link, {member.name!r}")
            start, data = member.offset, member.offset_data
            yield Member(member.name, member.isreg(), member.size, start, data, archive.offset)
        if archive.pax_headers.keys() & _GLOBAL:
            raise _unclear("a name or size for all of its files")


def _unclear(what: str) -> ArchiveError:
    return ArchiveError(f"the archive has {what}", fix="package the chart again: `helm package`")
