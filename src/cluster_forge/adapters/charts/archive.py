"""What a chart archive may contain to be safe to unpack: a ``.tgz`` of one directory with its ``Chart.yaml``."""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import Final

from cluster_forge.adapters.charts import chart_yaml
from cluster_forge.foundation import gzip_files, tar_members
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.foundation.names import counted
from cluster_forge.ports.sources import ChartIdentity

_MOST_BYTES: Final = 200 << 20
_MOST_RATIO: Final = 200
"""Times the archive's size that it may unpack to, if that is more than `_FREE_BYTES`."""
_FREE_BYTES: Final = 10 << 20
_MOST_ENTRIES: Final = 20_000
_MOST_FILE: Final = 64 << 20
_MOST_CHART_YAML: Final = 1 << 20
_MOST_HEADER: Final = 1 << 20
"""As in Go's ``archive/tar``, which Helm reads with (``maxSpecialFileSize``)."""

_EXTENDED_HEADERS: Final = frozenset(
    {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
)
_METADATA: Final = re.compile(r"(?:charts/[^/]+/)*(?:Chart|values)\.yaml")
_FIX: Final = "do not use this archive: report it to the chart's maintainers, or use another version"
_FETCH_AGAIN: Final = "fetch it again"


def check_archive(data: bytes, name: str) -> ChartIdentity:
    """Read an archive to its end, without writing anything; ``name`` is its name in messages.

    It must not contain: paths that are absolute or have a ``..``; links out of the chart's directory; devices and pipes;
    more than 200 MB in total, 64 MB in a file, 20,000 entries, or 200 times the archive's size (above 10 MB).

    Raises:
        ArchiveError: with the problem and the member that has it.
    """
    unpacked = _unpacked(data, name)
    metadata: bytes | None = None
    total = 0
    for number, member in enumerate(_members(unpacked, name)):
        total += max(0, member.size)
        problem = _problem(member)
        if number >= _MOST_ENTRIES:
            problem = problem or f"too many entries (limit {_MOST_ENTRIES:,})"
        elif total > _MOST_BYTES:
            problem = problem or f"more than {_MOST_BYTES >> 20} MB in total"
        if problem:
            raise ArchiveError(f"{name} is unsafe: {member.name!r}: {problem}", fix=_FIX)
        if _is_chart_yaml(member):
            if metadata is not None:
                raise ArchiveError(f"{name} is unsafe: {member.name!r}: a second Chart.yaml", fix=_FIX)
            metadata = _content(member, unpacked) if member.isreg() else None
    if metadata is None:
        raise ArchiveError(
            f"{name} is not a chart: no directory in it has a Chart.yaml", fix="check that it is a Helm chart"
        )
    return chart_yaml.identity(metadata, name)


def described(data: bytes, name: str) -> dict[str, str]:
    """``Chart.yaml`` and ``values.yaml`` of a chart and of the charts in it, by their paths below its directory.

    Raises:
        ArchiveError: as for `check_archive`.
    """
    check_archive(data, name)
    unpacked = _unpacked(data, name)
    texts: dict[str, str] = {}
    for member in _members(unpacked, name):
        path = member.name.partition("/")[2]
        if member.isreg() and _METADATA.fullmatch(path):
            texts[path] = _content(member, unpacked).decode("utf-8-sig", errors="replace")
    return texts


def _unpacked(data: bytes, name: str) -> bytes:
    """The tar in the gzip.

    Raises:
        ArchiveError: if it is not gzip, is truncated or damaged, or unpacks to too many bytes.
    """
    if not data.startswith(b"\x1f\x8b"):
        raise ArchiveError(f"{name} is not gzip", fix="check that the address is that of a chart's .tgz")
    most = min(_MOST_BYTES, max(_FREE_BYTES, _MOST_RATIO * len(data)))
    try:
        return gzip_files.unpacked(data, most)
    except OSError as error:
        raise ArchiveError(f"{name} is a bomb: {len(data):,} bytes unpack to more than {most:,}", fix=_FIX) from error
    except EOFError as error:
        raise ArchiveError(f"{name} is truncated after {counted(len(data), 'byte')}", fix=_FETCH_AGAIN) from error
    except zlib.error as error:
        raise ArchiveError(f"{name} is damaged: {error}", fix=_FETCH_AGAIN) from error


class _Member(tarfile.TarInfo):
    """A member whose header cannot make tarfile read millions of records or holes."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        member = super().frombuf(buf, encoding, errors)
        if member.type in _EXTENDED_HEADERS and member.size > _MOST_HEADER:
            raise ValueError(f"an extended header of {member.size:,} bytes (limit {_MOST_HEADER:,})")
        if member.type == tarfile.GNUTYPE_SPARSE:
            raise ValueError("a sparse file")
        return member


def _opened(unpacked: bytes, name: str) -> tarfile.TarFile:
    if b"GNU.sparse.m" in unpacked:  # tarfile would read the map of its holes before any check
        raise ArchiveError(f"{name} is unsafe: it contains a sparse file", fix=_FIX)
    try:
        return tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:", tarinfo=_Member)
    except Exception as error:  # any exception that a broken header causes in tarfile
        raise _not_tar(name, error) from error


def _members(unpacked: bytes, name: str) -> Iterator[tarfile.TarInfo]:
    """The archive's members.

    Raises:
        ArchiveError: if the tar is broken.
    """
    plain = tar_members.plain_members(unpacked)
    return _members_by_tarfile(unpacked, name) if plain is None else map(_tar_info, plain)


def _tar_info(plain: tar_members.Member) -> tarfile.TarInfo:
    member = tarfile.TarInfo(plain.name)
    member.type = tarfile.REGTYPE if plain.is_file else tarfile.DIRTYPE
    member.size, member.offset_data = plain.size, plain.data
    return member


def _members_by_tarfile(unpacked: bytes, name: str) -> Iterator[tarfile.TarInfo]:
    """The members as of tarfile; it also stops at a broken header, so the end is verified."""
    with _opened(unpacked, name) as archive:
        while True:
            try:
                member = archive.next()
            except Exception as error:  # any exception that a broken header causes in tarfile
                raise _not_tar(name, error) from error
            if member is None:
                break
            yield member
        if unpacked[archive.offset : archive.offset + 512].strip(b"\0"):
            raise ArchiveError(f"{name} is damaged: its tar ends after {archive.offset:,} bytes", fix=_FETCH_AGAIN)


def _not_tar(name: str, error: Exception) -> ArchiveError:
    return ArchiveError(
        f"{name} is not a readable tar: {error}", fix=f"{_FETCH_AGAIN}, and check that it is a chart's .tgz"
    )


def _problem(member: tarfile.TarInfo) -> str | None:
    """The problem of a member; None if it is safe."""
    path = member.name.replace("\\", "/")
    limit = _MOST_CHART_YAML if _is_chart_yaml(member) else _MOST_FILE
    is_link = member.issym() or member.islnk()
    problems = (
        (path.startswith("/") or re.match(r"[A-Za-z]:", path) or "\0" in path, "an absolute path"),
        (".." in path.split("/"), "a path with '..'"),
        ("/" not in path and not member.isdir(), "outside of the chart's directory"),
        (is_link and not _stays_inside(member, path), f"a link out of the chart's directory, to {member.linkname!r}"),
        (not (is_link or member.isdir() or member.isreg()), "neither a file nor a directory nor a link"),
        (member.size < 0, "a negative size"),
        (member.size > limit, f"{member.size:,} bytes (limit {limit >> 20} MB)"),
    )
    return next((problem for is_present, problem in problems if is_present), None)


def _stays_inside(link: tarfile.TarInfo, path: str) -> bool:
    """Whether a link points into its own top-level directory."""
    target = link.linkname.replace("\\", "/")
    start = posixpath.dirname(path) if link.issym() else ""
    place = posixpath.normpath(posixpath.join(start, target))
    return place.partition("/")[0] == path.partition("/")[0] and not re.match(r"[A-Za-z]:", target)


def _content(member: tarfile.TarInfo, unpacked: bytes) -> bytes:
    return unpacked[member.offset_data : member.offset_data + member.size]


def _is_chart_yaml(member: tarfile.TarInfo) -> bool:
    """Whether Helm takes a member for the chart's own metadata: it leaves out the first directory, whatever its name."""
    _, _, path = member.name.replace("\\", "/").partition("/")
    return posixpath.normpath(path) == "Chart.yaml"
