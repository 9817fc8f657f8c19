"""Helm's library reads from an archive what the quick scan of its headers finds."""

from __future__ import annotations

import base64
import posixpath
import re
import tarfile

import helm_python
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation import gzip_files, tar_members

CHART = b"apiVersion: v2\nname: web\nversion: 1.0.0\n"
NAMES = st.text("ab./ä\\", min_size=1, max_size=6) | st.text("ab/", min_size=90, max_size=130)
EDITS = st.lists(st.tuples(st.integers(0, 511), st.sampled_from(b"\0\xff 0145xa./")), max_size=2)
FILES = st.lists(st.tuples(NAMES, st.binary(max_size=600).map(base64.b64encode), EDITS), max_size=3)


def packed(name: str, content: bytes, edits: list[tuple[int, int]]) -> bytes:
    """A file with a header in which bytes were changed, and the checksum with them."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    header = bytearray(member.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape"))
    for place, value in edits:
        header[place] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + content + bytes(-len(content) % 512)


def below(name: str) -> str:
    """The name of a file below the chart's folder, as Helm takes and JSON shows it."""
    delimiter = "\\" if "\\" in name else "/"
    path = posixpath.normpath(name.partition(delimiter)[2].replace(delimiter, "/"))
    return re.sub("[\udc80-\udcff]", "\ufffd", path)


@given(FILES)
def test_helm_reads_the_same_files(files: list[tuple[str, bytes, list[tuple[int, int]]]]) -> None:
    given = [("Chart.yaml", CHART, []), *files]
    try:
        tar = b"".join(packed(f"web/{name}", content, edits) for name, content, edits in given) + bytes(1024)
    except ValueError:  # too long a name
        return
    members = tar_members.plain_members(tar)
    if members is None:
        return
    try:
        with helm_python.Chart.load_archive(gzip_files.stored(tar)) as chart:
            seen = [(file["name"], file["data"]) for file in chart.files]
    except helm_python.HelmError:
        return
    expected = [
        (below(member.name), tar[member.data : member.data + member.size].decode())
        for member in members
        if member.is_file
    ]
    assert seen == [(name, text) for name, text in expected if name != "Chart.yaml"]
