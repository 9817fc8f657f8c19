"""The quick way to unpack a gzip file gives what zlib gives, or leaves the file to it."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation import gzip_files

MOST = 10_000
CONTENTS = st.binary(max_size=50) | st.binary(min_size=1, max_size=20).map(lambda text: text * 300)
TEXT = b"some text " * 100
PACKED = gzip.compress(TEXT, mtime=0)


def of_zlib(packed: bytes) -> bytes | None:
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error):
        return None


def with_header_checksum(flags: int) -> bytes:
    return PACKED[:3] + bytes([flags]) + PACKED[4:10] + b"xx" + PACKED[10:]


def test_a_usual_file_is_unpacked() -> None:
    for level in range(10):
        assert gzip_files.single_member(gzip.compress(TEXT, level), MOST) == TEXT
    assert gzip_files.single_member(PACKED, len(TEXT)) == TEXT
    assert gzip_files.single_member(PACKED, len(TEXT) - 1) is None


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"text",
        gzip.compress(b"", mtime=0),
        PACKED + PACKED,
        PACKED + gzip.compress(b"", mtime=0),
        gzip.compress(b"", mtime=0) + PACKED,
        PACKED + bytes(8),
        PACKED + b"x",
        PACKED[:-1],
        PACKED[:-10],
        PACKED[:-8] + bytes(8),
        PACKED[:-4] + (len(TEXT) + 1).to_bytes(4, "little"),
        PACKED[:-8] + b"\0" + PACKED[-7:],
        with_header_checksum(0x02),
        with_header_checksum(0xE0),
        gzip.compress(bytes(5000), 0, mtime=0)[:-10],
    ],
)
def test_everything_else_is_left_to_zlib(packed: bytes) -> None:
    assert gzip_files.single_member(packed, MOST) is None


@given(
    st.lists(CONTENTS, min_size=1, max_size=3, unique=True),
    st.integers(0, 9),
    st.sampled_from([b"", b"\0", bytes(20)]),
    st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=2),
    st.integers(0, 30) | st.just(0),
)
def test_the_quick_way_gives_what_zlib_gives(
    contents: list[bytes], level: int, end: bytes, edits: list[tuple[int, int]], cut: int
) -> None:
    packed = bytearray(b"".join(gzip.compress(content, level, mtime=0) for content in contents) + end)
    for place, value in edits:
        packed[place % len(packed)] = value
    whole = bytes(packed[: len(packed) - cut])
    quick = gzip_files.single_member(whole, MOST)
    assert quick is None or quick == of_zlib(whole)


@given(st.binary(max_size=20).map(lambda text: text * 10_000))
def test_a_file_that_is_not_compressed_is_read_by_both(content: bytes) -> None:
    packed = gzip_files.stored(content)
    assert gzip.decompress(packed) == content
    assert gzip_files.single_member(packed, 1 << 20) == (content or None) or b"\x1f\x8b\x08" in content
