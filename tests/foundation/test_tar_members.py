"""The quick scan of a tar sees what tarfile sees, or leaves the archive to it."""

from __future__ import annotations

import io
import tarfile
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation import tar_members
from cluster_forge.foundation.errors import ArchiveError
from cluster_forge.foundation.tar_members import Member

Form = Literal[0, 1, 2]
FORMS: list[Form] = [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]
NAMES = st.text("ab./\\ä\udc80 ", min_size=1, max_size=8) | st.text("ab/", min_size=90, max_size=130)
CONTENTS = st.binary(max_size=1100)
TYPES = st.sampled_from([tarfile.REGTYPE] * 6 + [tarfile.DIRTYPE, tarfile.AREGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
EDITS = st.lists(st.tuples(st.integers(0, 511), st.sampled_from(b"\0\xff 05789xab./")), max_size=3)
FILES = st.lists(st.tuples(NAMES, CONTENTS, TYPES, EDITS), min_size=1, max_size=4)


def packed(*files: tuple[str, bytes], form: Form = tarfile.USTAR_FORMAT) -> bytes:
    return b"".join(header(name, content, form=form) + padded(content) for name, content in files) + bytes(1024)


def header(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, form: Form = tarfile.USTAR_FORMAT) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = len(content), kind
    return member.tobuf(form, "utf-8", "surrogateescape")


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def with_bytes(block: bytes, *edits: tuple[int, bytes]) -> bytes:
    """A header with other bytes and a checksum that fits."""
    edited = bytearray(block)
    for place, content in edits:
        edited[place : place + len(content)] = content
    edited[148:156] = b" " * 8
    edited[148:156] = b"%06o\0 " % sum(edited)
    return bytes(edited)


def of_tarfile(tar: bytes) -> tuple[Member, ...]:
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as archive:
        return tuple(
            Member(member.name, member.isreg(), member.size, member.offset, member.offset_data, archive.offset)
            for member in archive
        )


@pytest.mark.parametrize("form", FORMS)
def test_usual_members_are_plain(form: Form) -> None:
    long = "chart/" + "x" * 80 + "/y.yaml"
    tar = packed(("chart/a", b"1" * 513), ("chart/b", b""), (long, b"2"), form=form)
    tar = header("chart/sub/", kind=tarfile.DIRTYPE, form=form) + tar
    found = tar_members.plain_members(tar)
    assert found == tar_members.members(tar) == of_tarfile(tar)
    assert [member.name for member in found] == ["chart/sub", "chart/a", "chart/b", long]
    assert [tar[member.data : member.data + member.size] for member in found[1:]] == [b"1" * 513, b"", b"2"]


def test_prefix_of_a_long_name_is_plain() -> None:
    name = "chart/" + "x" * 90 + "/" + "y" * 90
    assert [member.name for member in tar_members.plain_members(packed((name, b""))) or ()] == [name]


@pytest.mark.parametrize(
    "edits",
    [
        [(124, b"\x80" + bytes(10) + b"\x05")],  # base-256
        [(124, b"\xff" * 12)],  # negative
        [(124, b"-0000000005\0")],
        [(124, b"0o000000005\0")],
        [(124, b"         5 \0")],
        [(108, b"x")],
        [(156, b"1"), (157, b"target")],
        [(156, b"2"), (157, b"target")],
        [(156, b"7")],
        [(156, b"\0")],
        [(257, b"\0" * 8)],
        [(257, b"ustar  \0"), (345, b"prefix")],
        [(500, b"x")],
        [(508, b"tar\0")],
        [(0, b"\0")],
    ],
)
def test_unusual_headers_are_left_to_tarfile(edits: list[tuple[int, bytes]]) -> None:
    tar = with_bytes(header("chart/a", b"12345"), *edits) + padded(b"12345") + packed(("chart/b", b""))
    assert tar_members.plain_members(tar) is None
    assert tar_members.plain_members(packed(("chart/b", b""))[:-1024] + tar) is None


@pytest.mark.parametrize("cut", [1, 511, 512, 1024])
def test_member_beyond_the_end_is_an_error(cut: int) -> None:
    tar = packed(("chart/a", b"1" * 1100))[: -1024 - cut]
    with pytest.raises(tarfile.TarError):
        tar_members.members(tar)


def test_wrong_checksum_ends_the_archive_or_is_an_error() -> None:
    good, bad = packed(("chart/a", b""))[:512], bytearray(header("chart/b"))
    bad[0:1] = b"x"
    assert [member.name for member in tar_members.members(good + bytes(bad))] == ["chart/a"]
    with pytest.raises(tarfile.TarError):
        tar_members.members(bytes(bad))


def test_what_follows_the_end_is_not_read() -> None:
    tar = packed(("chart/a", b"")) + packed(("chart/b", b""))
    assert [member.name for member in tar_members.members(tar)] == ["chart/a"]


@pytest.mark.parametrize("tar", [b"", b"x", b"text" * 500, bytes(100)])
def test_what_is_not_a_tar_is_an_error(tar: bytes) -> None:
    with pytest.raises(tarfile.TarError):
        tar_members.members(tar)


def test_empty_archive_has_no_members() -> None:
    assert tar_members.members(bytes(1024)) == ()


def test_sparse_file_is_refused() -> None:
    tar = with_bytes(
        header("chart/a", form=tarfile.GNU_FORMAT), (156, b"S"), (386, b"0" * 11 + b"\0" + b"0" * 11 + b"\0")
    )
    with pytest.raises(ArchiveError, match="sparse"):
        tar_members.members(tar + bytes(1024))


@given(FILES, st.sampled_from(FORMS), st.sampled_from([b"", bytes(512), bytes(1024), b"x", bytes(600) + b"x"]))
def test_the_scan_sees_what_tarfile_sees(
    files: list[tuple[str, bytes, bytes, list[tuple[int, int]]]], form: Form, end: bytes
) -> None:
    pieces: list[bytes] = []
    for name, content, kind, edits in files:
        try:
            block = header(name, content, kind, form)
        except ValueError:  # too long a name for this format
            continue
        last = with_bytes(block[-512:], *((place, bytes([value])) for place, value in edits))
        pieces += [block[:-512], last, padded(content) if kind == tarfile.REGTYPE else b""]
    tar = b"".join((*pieces, end))
    found = tar_members.plain_members(tar)
    assert found is None or found == of_tarfile(tar)


@given(st.binary(max_size=40).map(lambda text: text * 40))
def test_arbitrary_bytes_are_not_plain(tar: bytes) -> None:
    assert tar_members.plain_members(tar) is None
