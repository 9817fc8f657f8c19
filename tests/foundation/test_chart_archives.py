"""Archives are unpacked with a limit and with no more memory than they need; only the files that change are rewritten."""

from __future__ import annotations

import errno
import gzip
import io
import tarfile
import tracemalloc
import zlib

import pytest

from cluster_forge.foundation import chart_archives


def test_all_members_are_unpacked_with_little_memory() -> None:
    archive = gzip.compress(b"a") + gzip.compress(b"b" * 3_000_000)
    tracemalloc.start()
    content = chart_archives.unpacked(archive)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert content == b"a" + b"b" * 3_000_000
    assert peak < 20_000_000


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_archives, "LARGEST", 2_000_000)
    with pytest.raises(OSError, match="more than 1 MiB unpacked") as raised:
        chart_archives.unpacked(gzip.compress(b"a" * 3_000_000))
    assert raised.value.errno == errno.EFBIG


@pytest.mark.parametrize("archive", [b"", b"text", gzip.compress(b"a" * 100, mtime=0)[:-9], b"\x1f\x8b\x08" + bytes(9)])
def test_what_is_damaged_is_an_error(archive: bytes) -> None:
    if archive:
        with pytest.raises((OSError, EOFError, zlib.error)):
            chart_archives.unpacked(archive)
    else:
        assert chart_archives.unpacked(archive) == b""


LONG = "chart/" + "ä" * 120 + "/values.yaml"


def tar(*files: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for member, content in files:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def info(name: str, **pax: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.pax_headers = pax
    return member


def files(archive: bytes) -> list[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        return [(member.name, file.read()) for member in members if (file := members.extractfile(member))]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("size", [0, 1, 512, 513, 5000])
def test_files_are_rewritten_and_all_else_stays(form: int, size: int) -> None:
    before = tar((info("chart/a"), b"a" * 700), (info(LONG), b"old"), (info("chart/b"), b"b"), form=form)
    after = chart_archives.rewritten(before, lambda name, read: read()[:1] * size if name == LONG else None)
    assert after is not None
    assert files(after) == [("chart/a", b"a" * 700), (LONG, b"o" * size), ("chart/b", b"b")]
    assert gzip.decompress(after).startswith(before[:1536])


def test_a_header_that_gives_another_size_does_not_stay() -> None:
    before = tar((info("chart/values.yaml", size="3", comment="x"), b"old"), (info("chart/b"), b"b"))
    after = chart_archives.rewritten(before, lambda name, _: b"changed" if "values" in name else None)
    assert after is not None
    assert files(after) == [("chart/values.yaml", b"changed"), ("chart/b", b"b")]


def test_nothing_to_rewrite() -> None:
    assert chart_archives.rewritten(tar((info("chart/a"), b"a")), lambda *_: None) is None
    with pytest.raises(tarfile.TarError):
        chart_archives.rewritten(b"text" * 500, lambda *_: None)
