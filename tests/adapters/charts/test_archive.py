"""Chart archives of others: safe ones are accepted, unsafe and broken ones are refused with a reason."""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import struct
import tarfile
import tracemalloc
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.charts import check_archive, described
from cluster_forge.foundation.errors import ArchiveError

CHART_YAML = b"apiVersion: v2\nname: shop\nversion: 1.10\n"
Member = tuple[str, bytes] | tarfile.TarInfo


def tar(*members: Member) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                entry = tarfile.TarInfo(member[0])
                entry.size = len(member[1])
                archive.addfile(entry, io.BytesIO(member[1]))
    return buffer.getvalue()


def tgz(*members: Member) -> bytes:
    return gzip.compress(tar(*members), compresslevel=0)


def special(name: str, kind: bytes, linkname: str = "", size: int = 0) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size = kind, linkname, size
    return entry


CHART = ("shop/Chart.yaml", CHART_YAML)


def failure_of(data: bytes) -> str:
    with pytest.raises(ArchiveError) as raised:
        check_archive(data, "shop.tgz")
    assert raised.value.fix
    assert "shop.tgz" in raised.value.message
    return raised.value.message


@pytest.mark.parametrize(
    "members",
    [
        [CHART],
        [special("shop", tarfile.DIRTYPE), CHART, ("shop/templates/a.yaml", b"x")],
        [("shop/charts/sub/Chart.yaml", b"name: sub\nversion: 2.0.0\n"), CHART],
        [CHART, special("shop/a/link", tarfile.SYMTYPE, "../values.yaml")],
        [CHART, special("shop/hard", tarfile.LNKTYPE, "shop/Chart.yaml")],
        [CHART, ("shop/" + "long/" * 60 + "ümlaut 🙂.yaml", b"x")],
        [("shop/Chart.yaml", b"\xef\xbb\xbf" + CHART_YAML)],
    ],
)
def test_charts_are_accepted(members: list[Member]) -> None:
    identity = check_archive(tgz(*members), "shop.tgz")
    assert (identity.name, identity.version) == ("shop", "1.10")


def test_metadata_of_a_chart_and_its_subcharts() -> None:
    files = {
        "web/Chart.yaml": b"name: web\nversion: 1.0.0\n",
        "web/values.yaml": b"\xef\xbb\xbfa: 1\n",
        "web/templates/values.yaml": b"not this one",
        "web/charts/db/Chart.yaml": b"name: db\nversion: 1.0.0\n",
        "web/charts/db/values.yaml": b"b: 2\n",
    }
    assert described(tgz(*files.items()), "it") == {
        "Chart.yaml": "name: web\nversion: 1.0.0\n",
        "values.yaml": "a: 1\n",
        "charts/db/Chart.yaml": "name: db\nversion: 1.0.0\n",
        "charts/db/values.yaml": "b: 2\n",
    }
    with pytest.raises(ArchiveError):
        described(b"nothing", "it")


def test_gzip_may_have_members_and_trailing_zeros() -> None:
    content = tar(CHART)
    data = gzip.compress(content[:700]) + gzip.compress(content[700:]) + b"\0" * 100
    assert check_archive(data, "shop.tgz").name == "shop"


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (("../evil", b"x"), "a path with '..'"),
        (("shop/../../evil", b"x"), "a path with '..'"),
        (("shop\\..\\evil", b"x"), "a path with '..'"),
        (("/etc/passwd", b"x"), "an absolute path"),
        (("\\\\host\\share", b"x"), "an absolute path"),
        (("C:/x/y", b"x"), "an absolute path"),
        (("README.md", b"x"), "outside of the chart's directory"),
        (special("shop/link", tarfile.SYMTYPE, "/etc/passwd"), "a link out of"),
        (special("shop/link", tarfile.SYMTYPE, "../other/x"), "a link out of"),
        (special("shop/a/link", tarfile.SYMTYPE, "../../../x"), "a link out of"),
        (special("shop/link", tarfile.SYMTYPE, "..\\..\\x"), "a link out of"),
        (special("shop/link", tarfile.LNKTYPE, "etc/passwd"), "a link out of"),
        (special("shop/link", tarfile.LNKTYPE, "../x"), "a link out of"),
        (special("shop/link", tarfile.SYMTYPE, "C:/x"), "a link out of"),
        (special("shop/null", tarfile.CHRTYPE), "neither a file"),
        (special("shop/disk", tarfile.BLKTYPE), "neither a file"),
        (special("shop/pipe", tarfile.FIFOTYPE), "neither a file"),
    ],
)
def test_unsafe_member_is_named(member: Member, message: str) -> None:
    name = member.name if isinstance(member, tarfile.TarInfo) else member[0]
    error = failure_of(tgz(CHART, member))
    assert message in error
    assert repr(name) in error


def test_bombs_are_refused() -> None:
    zeros = gzip.compress(b"\0" * (100 << 20), compresslevel=6)
    tracemalloc.start()
    try:
        assert "is a bomb" in failure_of(zeros)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert "too many entries" in failure_of(tgz(CHART, *[special(f"shop/{n}", tarfile.DIRTYPE) for n in range(20_001)]))
    big = random.Random(1).randbytes(1 << 20) * 65
    assert "(limit 64 MB)" in failure_of(tgz(CHART, ("shop/big", big)))
    assert "(limit 1 MB)" in failure_of(tgz(("shop/Chart.yaml", b"#" * (2 << 20))))


def test_bomb_of_many_files_is_refused() -> None:
    part = random.Random(1).randbytes(1 << 20) * 40
    assert "is a bomb" in failure_of(tgz(CHART, *[(f"shop/{n}", part) for n in range(6)]))


def test_declared_sizes_count() -> None:
    entries = [special(f"shop/{n}", tarfile.DIRTYPE, size=60 << 20) for n in range(5)]
    for entry in entries:
        entry.type = tarfile.SYMTYPE
        entry.linkname = "x"
    assert "more than 200 MB in total" in failure_of(tgz(CHART, *entries))


@pytest.mark.parametrize("size", [-1, -512, -(1 << 40)])
def test_negative_sizes_are_refused(size: int) -> None:
    """Older versions of tarfile loop for ever (CVE-2025-8194)."""
    data = bytearray(tar(CHART, ("shop/x", b"x"), CHART))
    start = data.index(b"shop/x")
    data[start + 124 : start + 136] = b"\xff" + struct.pack(">q", size).rjust(11, b"\xff")
    data[start + 148 : start + 156] = b"%06o\0 " % (
        256 + sum(data[start : start + 148]) + sum(data[start + 156 : start + 512])
    )
    assert "shop.tgz" in failure_of(gzip.compress(bytes(data)))


def test_broken_archives_are_refused() -> None:
    good = tgz(CHART, ("shop/x", random.Random(1).randbytes(5000)))
    assert "is not gzip" in failure_of(b"<html>not found</html>")
    assert "is not gzip" in failure_of(b"")
    assert "is truncated" in failure_of(b"\x1f\x8b")
    assert "is truncated" in failure_of(good[:-10])
    assert "is truncated" in failure_of(good[: len(good) // 2])
    assert "is damaged" in failure_of(good[:-8] + b"\0" * 8)
    assert "is damaged" in failure_of(good + b"more")
    assert "not a readable tar" in failure_of(gzip.compress(b"apiVersion: v2\n" * 100))
    assert "not a readable tar" in failure_of(gzip.compress(tar(CHART, ("shop/x", b"x" * 5000))[:-7000]))
    assert "its tar ends after" in failure_of(gzip.compress(tar(CHART)[:1024] + b"garbage" * 200))
    assert "not a readable tar" in failure_of(gzip.compress(b""))


def test_archives_are_read_to_their_end() -> None:
    for size in (1 << 18, (1 << 18) - 700, 5 << 20):
        for level in (0, 9):
            members = [CHART, ("shop/zeros", b"\0" * size), ("shop/noise", random.Random(1).randbytes(size))]
            assert check_archive(gzip.compress(tar(*members), level), "x").name == "shop"


def test_archives_without_a_valid_chart_yaml_are_refused() -> None:
    assert "no directory in it has a Chart.yaml" in failure_of(tgz(("shop/values.yaml", b"")))
    assert "no directory in it has a Chart.yaml" in failure_of(tgz(("./shop/Chart.yaml", CHART_YAML)))
    assert "has no version" in failure_of(tgz(("shop/Chart.yaml", b"name: x\n")))
    assert "has no name and no version" in failure_of(tgz(("shop/Chart.yaml", b"- name: x\n- version: 1\n")))
    assert "has no version" in failure_of(tgz(("shop/Chart.yaml", b"name: x\nversion: [1]\ndeep: {version: 2}\n")))
    assert "is not YAML" in failure_of(tgz(("shop/Chart.yaml", b"name: 'x\n")))
    assert "not a readable tar" not in failure_of(tgz(("shop/Chart.yaml", b"a: " + b"[" * 900_000)))


@given(st.binary(max_size=200), st.booleans())
def test_arbitrary_bytes_cause_archive_errors_only(data: bytes, as_tar: bool) -> None:
    archive = gzip.compress(tar(CHART)[:512] + data * 20) if as_tar else gzip.compress(data)
    with pytest.raises(ArchiveError):
        check_archive(archive, "x")


@given(st.lists(st.tuples(st.integers(0, 2047), st.integers(0, 255)), min_size=1, max_size=8))
def test_changed_headers_cause_archive_errors_only(changes: list[tuple[int, int]]) -> None:
    data = bytearray(tar(CHART, ("shop/x", b"x")))
    for position, value in changes:
        data[position] = value
    with contextlib.suppress(ArchiveError):
        assert check_archive(gzip.compress(bytes(data)), "x").version


def extended(kind: bytes, size: int) -> bytes:
    entry = tarfile.TarInfo("././@PaxHeader")
    entry.type, entry.size = kind, size
    return entry.tobuf(tarfile.USTAR_FORMAT) + b" " * size + bytes(-size % 512)


@pytest.mark.parametrize("kind", [b"x", b"g", b"X", b"L", b"K"])
def test_oversized_extended_header_is_refused(kind: bytes) -> None:
    broken = gzip.compress(extended(kind, 9_000_000) + tar(CHART))
    assert "an extended header of 9,000,000 bytes" in failure_of(broken)


def test_sparse_files_are_refused() -> None:
    assert "a sparse file" in failure_of(tgz(special("shop/x", tarfile.GNUTYPE_SPARSE), CHART))
    record = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
    entry = tarfile.TarInfo("././@PaxHeader")
    entry.type, entry.size = b"x", len(record)
    header = entry.tobuf(tarfile.USTAR_FORMAT) + record + bytes(-len(record) % 512)
    holes = ("shop/holes", b"99999999\n" + b"1\n" * 1000)
    assert "a sparse file" in failure_of(gzip.compress(header + tar(holes, CHART)))


def test_corpus_charts_are_accepted(corpus: Path) -> None:
    index = yaml.safe_load((corpus / "mirror/index.yaml").read_text())
    for chart in index["charts"]:
        identity = check_archive((corpus / "mirror" / chart["file"]).read_bytes(), chart["file"])
        assert (identity.name, identity.version) == (chart["name"], str(chart["version"]))


@pytest.mark.parametrize("other", ["shop/Chart.yaml", "other/Chart.yaml", "shop/./Chart.yaml", "shop\\Chart.yaml"])
def test_a_second_chart_yaml_is_refused(other: str) -> None:
    """Helm takes the last one, whatever the first directory is called: the identity that was checked would not be its."""
    assert "a second Chart.yaml" in failure_of(tgz(CHART, (other, b"name: other\nversion: 9.9.9\n")))


def test_thousands_of_gzip_members_are_refused() -> None:
    archive = gzip.compress(b"", mtime=0) * 2_000 + tgz(CHART)
    assert "more than 1,000 gzip members" in failure_of(archive)
    assert check_archive(gzip.compress(b"", mtime=0) * 900 + tgz(CHART), "shop.tgz").name == "shop"


@pytest.mark.parametrize("key", ["name", "version"])
def test_identity_of_a_chart_is_short(key: str) -> None:
    values = {"name": "shop", "version": "1.0.0"} | {key: "a" * 251}
    text = "".join(f"{name}: {value}\n" for name, value in values.items())
    assert f"has a {key} of 251 characters" in failure_of(tgz(("shop/Chart.yaml", text.encode())))
