"""What a chart archive may be, so that unpacking it harms nobody: a ``.tgz`` with one folder and its ``Chart.yaml``."""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from cluster_forge.foundation.errors import ArchiveError

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_TOTAL: Final = 200 << 20
_RATIO: Final = 200
_RATIO_FROM: Final = 10 << 20
_STEP: Final = 1 << 18
_ENTRIES: Final = 20_000
_FILE: Final = 64 << 20
_CHART_YAML: Final = 1 << 20
_DEEPEST: Final = 100
_HEADER: Final = 1 << 20
"""As in Go's ``archive/tar``, which Helm reads with (``maxSpecialFileSize``)."""

_HEADERS: Final = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
_DESCRIBING: Final = re.compile(r"(?:charts/[^/]+/)*(?:Chart|values)\.yaml")
_FIX: Final = "do not use this archive; tell its makers, or take another version of the chart"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartIdentity:
    """What ``Chart.yaml`` calls the chart."""

    name: str
    version: str


def check_archive(data: bytes, name: str) -> ChartIdentity:
    """Read an archive to its end, without writing anything. ``name`` is what messages call it.

    Refused are: paths that are absolute or hold ``..``; links out of the chart's folder; devices and pipes; more than
    200 MB in all, 64 MB in a file, 20,000 entries, or 200 times the archive's size (above 10 MB).

    Raises:
        ArchiveError: which says what is wrong, and with which member.
    """
    unpacked = _unpacked(data, name)
    chart_yaml: bytes | None = None
    total = 0
    with _opened(unpacked, name) as archive:
        for number, member in enumerate(_members(archive, unpacked, name)):
            problem = _problem(member)
            total += max(0, member.size)
            if problem or number >= _ENTRIES or total > _TOTAL:
                problem = problem or (
                    "too many entries" if number >= _ENTRIES else f"more than {_TOTAL >> 20} MB in all"
                )
                raise ArchiveError(f"{name} is unsafe: {member.name!r}: {problem}", fix=_FIX)
            if chart_yaml is None and member.isreg() and _is_chart_yaml(member):
                chart_yaml = unpacked[member.offset_data : member.offset_data + member.size]
    if chart_yaml is None:
        raise ArchiveError(
            f"{name} is no chart: no folder in it has a Chart.yaml", fix="see whether it is a Helm chart"
        )
    return identity(chart_yaml, name)


def described(data: bytes, name: str) -> dict[str, str]:
    """``Chart.yaml`` and ``values.yaml`` of a chart and of those in its ``charts/``, by their paths below its folder.

    Raises:
        ArchiveError: as for `check_archive`.
    """
    check_archive(data, name)
    unpacked = _unpacked(data, name)
    found: dict[str, str] = {}
    with _opened(unpacked, name) as archive:
        for member in _members(archive, unpacked, name):
            path = member.name.partition("/")[2]
            if member.isreg() and _DESCRIBING.fullmatch(path):
                content = unpacked[member.offset_data : member.offset_data + member.size]
                found[path] = content.decode("utf-8-sig", errors="replace")
    return found


def identity(chart_yaml: bytes, name: str) -> ChartIdentity:
    """The chart's name and version.

    Raises:
        ArchiveError: if ``Chart.yaml`` does not tell them.
    """
    fields: dict[str, str] = {}
    try:
        events = yaml.parse(chart_yaml.removeprefix(b"\xef\xbb\xbf"), Loader=_LOADER)
        fields.update(_scalars(events))
    except yaml.YAMLError as error:
        raise ArchiveError(
            f"the Chart.yaml of {name} is not YAML: {' '.join(str(error).split())[:200]}",
            fix="see whether `helm lint` accepts the chart",
        ) from error
    missing = [key for key in ("name", "version") if not fields.get(key)]
    if missing:
        raise ArchiveError(
            f"the Chart.yaml of {name} has no {' and no '.join(missing)}",
            fix="see whether `helm lint` accepts the chart",
        )
    return ChartIdentity(name=fields["name"], version=fields["version"])


def _scalars(events: Iterator[yaml.Event]) -> Iterator[tuple[str, str]]:
    """The members of the mapping at the top that are plain values.

    Raises:
        yaml.YAMLError: also for a text nested so deep that libyaml would take for ever.
    """
    depth, key = 0, None
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif depth == 1 and isinstance(event, yaml.NodeEvent):
            value = str(event.value) if isinstance(event, yaml.ScalarEvent) else ""
            if key is not None:
                yield key, value
            key = value if key is None else None
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if depth > _DEEPEST:
            raise yaml.YAMLError("it is nested too deep")


def _unpacked(data: bytes, name: str) -> bytes:
    """The tar inside of the gzip.

    Raises:
        ArchiveError: if it is not gzip, is truncated or damaged, or unpacks to too much.
    """
    if not data.startswith(b"\x1f\x8b"):
        raise ArchiveError(f"{name} is not gzip", fix="see whether the address is that of a chart's .tgz")
    most = min(_TOTAL, max(_RATIO_FROM, _RATIO * len(data)))
    parts: list[bytes] = []
    size = 0
    try:
        for part in _inflated(data):
            parts.append(part)
            size += len(part)
            if size > most:
                raise ArchiveError(f"{name} is a bomb: {len(data):,} bytes unpack to more than {most:,}", fix=_FIX)
    except EOFError as error:
        raise ArchiveError(f"{name} is truncated after {len(data):,} bytes", fix="fetch it anew") from error
    except zlib.error as error:
        raise ArchiveError(f"{name} is damaged: {error}", fix="fetch it anew") from error
    return b"".join(parts)


def _inflated(data: bytes) -> Iterator[bytes]:
    """What is in a gzip, by and by. Its parts (RFC 1952 allows several) become one; zeros at its end do not count.

    Raises:
        EOFError: if it is truncated.
        zlib.error: if it is damaged.
    """
    stream = zlib.decompressobj(wbits=31)
    for start in range(0, len(data), _STEP):
        rest, part = data[start : start + _STEP], b""
        while rest or len(part) == _STEP:
            if stream.eof:
                rest, part = rest.lstrip(b"\0"), b""
                stream = zlib.decompressobj(wbits=31) if rest else stream
            else:
                part = stream.decompress(rest, _STEP)
                rest = stream.unused_data or stream.unconsumed_tail
                yield part
    if not stream.eof:
        raise EOFError


class _Entry(tarfile.TarInfo):
    """A header that does not make tarfile read millions of records or of holes."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Entry:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _HEADERS and found.size > _HEADER:
            raise ValueError(f"an extended header of {found.size:,} bytes, more than {_HEADER:,}")
        if found.type == tarfile.GNUTYPE_SPARSE:
            raise ValueError("a sparse file")
        return found


def _opened(unpacked: bytes, name: str) -> tarfile.TarFile:
    if b"GNU.sparse.m" in unpacked:  # tarfile would read the map of its holes before anybody could look at it
        raise ArchiveError(f"{name} is unsafe: it holds a sparse file", fix=_FIX)
    try:
        return tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:", tarinfo=_Entry)
    except Exception as error:  # whatever a broken header makes tarfile raise
        raise _not_tar(name, error) from error


def _members(archive: tarfile.TarFile, unpacked: bytes, name: str) -> Iterator[tarfile.TarInfo]:
    """The archive's members, and at its end the proof that it is the end: tarfile stops at a broken header, too.

    Raises:
        ArchiveError: if the tar is broken.
    """
    while True:
        try:
            member = archive.next()
        except Exception as error:  # whatever a broken header makes tarfile raise
            raise _not_tar(name, error) from error
        if member is None:
            break
        yield member
    if unpacked[archive.offset : archive.offset + 512].strip(b"\0"):
        raise ArchiveError(f"{name} is damaged: its tar breaks off after {archive.offset:,} bytes", fix="fetch it anew")


def _not_tar(name: str, error: Exception) -> ArchiveError:
    return ArchiveError(f"{name} is no readable tar: {error}", fix="fetch it anew; see whether it is a chart's .tgz")


def _problem(member: tarfile.TarInfo) -> str | None:
    """What is wrong with a member, if something is."""
    path = member.name.replace("\\", "/")
    limit = _CHART_YAML if _is_chart_yaml(member) else _FILE
    is_link = member.issym() or member.islnk()
    problems = (
        (path.startswith("/") or re.match(r"[A-Za-z]:", path) or "\0" in path, "an absolute path"),
        (".." in path.split("/"), "a path with '..'"),
        ("/" not in path and not member.isdir(), "it lies outside of the chart's folder"),
        (is_link and not _stays(member, path), f"a link out of the chart's folder, to {member.linkname!r}"),
        (not (is_link or member.isdir() or member.isreg()), "neither a file nor a folder nor a link"),
        (member.size < 0, "a size below zero"),
        (member.size > limit, f"{member.size:,} bytes, more than {limit >> 20} MB"),
    )
    return next((problem for is_so, problem in problems if is_so), None)


def _stays(link: tarfile.TarInfo, path: str) -> bool:
    """Whether a link leads to a place in the folder that it lies in, at the archive's top."""
    target = link.linkname.replace("\\", "/")
    start = posixpath.dirname(path) if link.issym() else ""
    place = posixpath.normpath(posixpath.join(start, target))
    return place.partition("/")[0] == path.partition("/")[0] and not re.match(r"[A-Za-z]:", target)


def _is_chart_yaml(member: tarfile.TarInfo) -> bool:
    parts = member.name.replace("\\", "/").split("/")
    return len(parts) == 2 and parts[1] == "Chart.yaml"
