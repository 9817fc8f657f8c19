"""Archives in charts are unpacked with a limit, and with no more memory than they need."""

from __future__ import annotations

import errno
import gzip
import tracemalloc
import zlib

import pytest

from cluster_forge.foundation import gunzip


def test_all_members_are_unpacked_with_little_memory() -> None:
    archive = gzip.compress(b"a") + gzip.compress(b"b" * 3_000_000)
    tracemalloc.start()
    content = gunzip.unpacked(archive)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert content == b"a" + b"b" * 3_000_000
    assert peak < 20_000_000


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gunzip, "LARGEST", 2_000_000)
    with pytest.raises(OSError, match="more than 1 MiB unpacked") as raised:
        gunzip.unpacked(gzip.compress(b"a" * 3_000_000))
    assert raised.value.errno == errno.EFBIG


@pytest.mark.parametrize("archive", [b"", b"text", gzip.compress(b"a" * 100, mtime=0)[:-9], b"\x1f\x8b\x08" + bytes(9)])
def test_what_is_damaged_is_an_error(archive: bytes) -> None:
    if archive:
        with pytest.raises((OSError, EOFError, zlib.error)):
            gunzip.unpacked(archive)
    else:
        assert gunzip.unpacked(archive) == b""
