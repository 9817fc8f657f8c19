"""Archives are unpacked with a limit and with no more memory than they need; only the files that change are written again."""

from __future__ import annotations

import errno
import gzip
import io
import tarfile
import tracemalloc
import zlib

import pytest

from cluster_forge.foundation import chart_archives
from cluster_forge.foundation.chart_archives import ChartArchive
from cluster_forge.foundation.errors import ArchiveError


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
    with pytest.raises((OSError, EOFError, zlib.error)):
        chart_archives.unpacked(archive)


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


def opened(content: bytes) -> ChartArchive:
    return chart_archives.opened(gzip.compress(content))


def changed(content: bytes, name: str, text: bytes) -> ChartArchive:
    archive = opened(content)
    return archive.with_content({file: text for found, file in archive.files() if found == name})


def files(packed: bytes) -> list[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as members:
        return [(member.name, file.read()) for member in members if (file := members.extractfile(member))]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("size", [0, 1, 512, 513, 5000])
def test_files_are_changed_and_all_else_stays(form: int, size: int) -> None:
    before = tar((info("chart/a"), b"a" * 700), (info(LONG), b"old"), (info("chart/b"), b"b"), form=form)
    archive = changed(before, LONG, b"o" * size)
    assert files(archive.packed()) == [("chart/a", b"a" * 700), (LONG, b"o" * size), ("chart/b", b"b")]
    assert {name: archive.read(file) for name, file in archive.files()} == dict(files(archive.packed()))
    assert gzip.decompress(archive.packed()).startswith(before[:1536])


def test_a_header_that_gives_another_size_does_not_stay() -> None:
    before = tar((info("chart/values.yaml", size="3", comment="x"), b"old"), (info("chart/b"), b"b"))
    packed = changed(before, "chart/values.yaml", b"changed").packed()
    assert files(packed) == [("chart/values.yaml", b"changed"), ("chart/b", b"b")]


def test_later_changes_are_added_to_earlier_ones_and_win() -> None:
    archive = opened(tar(*((info(name), b"old") for name in "abc")))
    a, b, _ = archive.members
    twice = archive.with_content({a: b"1", b: b"1"}).with_content({b: b"2"})
    assert files(twice.packed()) == [("a", b"1"), ("b", b"2"), ("c", b"old")]
    assert archive.changes == {}


def test_files_of_one_name_are_changed_one_by_one() -> None:
    archive = opened(tar((info("a"), b"first"), (info("a"), b"second")))
    assert files(archive.with_content({archive.members[1]: b"2"}).packed()) == [("a", b"first"), ("a", b"2")]


def test_without_changes_the_tar_is_the_same() -> None:
    before = tar((info("chart/a"), b"a" * 200_000)) + b"more"
    assert gzip.decompress(opened(before).packed()) == before


@pytest.mark.parametrize(
    "packed", [b"", b"nonsense", gzip.compress(b"", mtime=0), gzip.compress(b"text" * 500, mtime=0)]
)
def test_what_is_not_a_tar_is_an_error(packed: bytes) -> None:
    with pytest.raises(ArchiveError, match="not a chart: "):
        chart_archives.opened(packed)
