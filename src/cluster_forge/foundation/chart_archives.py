"""Charts in archives, and archives in charts: unpacked once, with a limit, and with other content for some files."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Self

from cluster_forge.foundation import gzip_files, tar_members
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.foundation.tar_members import Member

LARGEST: Final = 200 << 20
"""Bytes of an unpacked archive, since nothing else has looked at the size of one in a chart; Helm takes 100 MiB."""
UNREADABLE: Final = (OSError, EOFError, zlib.error, tarfile.TarError)
"""The errors of an archive that is damaged or too large."""
DEEPEST: Final = 5
"""Archives in archives."""
_LINT: Final = "check the chart with `helm lint`"

Rewrite = Callable[[str, Callable[[], bytes]], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartArchive:
    """An archive as a tar with its members, and the content of the files that were changed."""

    tar: bytes
    members: tuple[Member, ...]
    changes: Mapping[Member, bytes] = field(default_factory=dict)

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """The archive in a gzip file.

        Raises:
            UNREADABLE: if it is damaged, too large, or not a tar.
            ArchiveError: if it has a sparse file.
        """
        tar = unpacked(packed)
        return cls(tar=tar, members=tar_members.members(tar))

    def files(self) -> Iterator[tuple[str, Member]]:
        """The files by their names, in the archive's order; a name may stand twice."""
        return ((member.name, member) for member in self.members if member.is_file)

    def read(self, file: Member) -> bytes:
        """The content of a file."""
        content = self.changes.get(file)
        return self.tar[file.data : file.data + file.size] if content is None else content

    def with_content(self, changes: Mapping[Member, bytes]) -> Self:
        """The archive with other content for some files; all else stays byte for byte."""
        return replace(self, changes={**self.changes, **changes}) if changes else self

    def packed(self) -> bytes:
        """The archive with its changes as a gzip file, not compressed: it is read at once."""
        pieces: list[bytes] = []
        done = 0
        for member in sorted(self.changes, key=lambda member: member.start):
            content = self.changes[member]
            pieces += [self.tar[done : member.start], *_file(member.name, content)]
            done = member.end
        return gzip_files.stored(b"".join((*pieces, self.tar[done:])))


def opened(packed: bytes) -> ChartArchive:
    """The chart in a gzip file.

    Raises:
        ArchiveError: if it cannot be read.
    """
    with _readable():
        return ChartArchive.unpacked(packed)


def with_files(packed: bytes, added: Mapping[str, bytes]) -> bytes:
    """The chart in a gzip file with more files, by their paths in it.

    Raises:
        ArchiveError: if it cannot be read.
    """
    chart = opened(packed)
    folder = chart.members[0].name.partition("/")[0]
    end = max(member.end for member in chart.members)
    pieces = [part for path, content in sorted(added.items()) for part in _file(f"{folder}/{path}", content)]
    return gzip_files.stored(b"".join((chart.tar[:end], *pieces, bytes(1024))))


def tar(packed: bytes) -> bytes:
    """The tar of the chart in a gzip file.

    Raises:
        ArchiveError: if it cannot be unpacked.
    """
    with _readable():
        return unpacked(packed)


def unpacked(archive: bytes) -> bytes:
    """The tar in a gzip file.

    Raises:
        OSError, EOFError, zlib.error: if it is damaged; OSError with EFBIG if it is larger than `LARGEST`.
    """
    return gzip_files.unpacked(archive, LARGEST)


def rewritten(chart: ChartArchive, rewrite: Rewrite, depth: int = DEEPEST) -> ChartArchive:
    """The chart with other content for some files, in its packed dependencies, too.

    ``rewrite`` gets the name of each file and what reads it, and gives its new content, or None to leave it as it is. A
    dependency that cannot be unpacked stays: Helm says what is wrong with it.

    Raises:
        ArchiveError: for more than ``depth`` archives in each other.
    """
    changes: dict[Member, bytes] = {}
    for name, file in chart.files():
        if is_packed(name):
            content = _rewritten_archive(chart.read(file), rewrite, depth - 1)
        else:
            content = rewrite(name, partial(chart.read, file))
        if content is not None:
            changes[file] = content
    return chart.with_content(changes)


def _rewritten_archive(packed: bytes, rewrite: Rewrite, depth: int) -> bytes | None:
    if not depth:
        raise ArchiveError(f"has archives in archives, nesting too deep (limit {DEEPEST})", fix=_LINT)
    try:
        chart = opened(packed)
    except ArchiveError:
        return None
    after = rewritten(chart, rewrite, depth)
    return after.packed() if after.changes else None


def is_packed(name: str) -> bool:
    """Whether a file is a dependency in an archive of its own."""
    return "/charts/" in name and name.endswith((".tgz", ".tar.gz"))


def _file(name: str, content: bytes) -> tuple[bytes, bytes, bytes]:
    """A plain file in a tar: its header (what says more of the former content is left out), its content, the padding."""
    header = tarfile.TarInfo(name)
    header.size = len(content)
    return header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"), content, bytes(-len(content) % 512)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        raise ArchiveError(f"not a chart: {error}", fix=_LINT) from error
