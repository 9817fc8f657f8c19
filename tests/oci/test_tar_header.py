"""Headers of a tar archive have the bytes that `tarfile` writes."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cluster_forge.oci import tar_header

names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
ascii_names = st.text(
    st.characters(min_codepoint=1, max_codepoint=127, exclude_characters="/"), min_size=1, max_size=120
)
paths = st.lists(names | ascii_names, min_size=1, max_size=6).map("/".join)
numbers = st.integers(min_value=0, max_value=8**11 + 1)


def by_tarfile(path: str, kind: bytes, mode: int, size: int, mtime: int) -> bytes:
    """ustar, or pax where that raises."""
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode, entry.size, entry.mtime = kind, mode, size, mtime
    try:
        return entry.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")
    except ValueError:
        return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


@given(paths, numbers, st.integers(min_value=-1, max_value=8**11 + 1), st.booleans())
@example("a" * 100, 0, 0, False)
@example("a" * 101, 0, 0, False)
@example("/".join(("a" * 155, "b" * 100)), 1, 1, True)
@example("/".join(("a" * 156, "b" * 100)), 1, 1, True)
@example("/".join(("a" * 155, "b" * 101)), 1, 1, False)
@example("/".join(("a" * 50, "b" * 50, "c" * 50)), 8**11 - 1, 8**11 - 1, False)
@example("ü/" + "a" * 99, 0, 0, False)
def test_a_file_has_the_header_of_tarfile(path: str, size: int, mtime: int, executable: bool) -> None:
    header = tar_header.of_file(path, size, mtime, executable=executable)
    assert header == by_tarfile(path, tarfile.REGTYPE, 0o755 if executable else 0o644, size, mtime)


@given(paths, numbers)
@example("a" * 99, 0)
@example("a" * 100, 0)
@example("/".join(("a" * 155, "b" * 99)), 0)
@example("/".join(("a" * 55, "b" * 100)), 0)
@example("/".join(("a" * 155, "b" * 100)), 0)
def test_a_folder_has_the_header_of_tarfile(path: str, mtime: int) -> None:
    assert tar_header.of_folder(path, mtime) == by_tarfile(path, tarfile.DIRTYPE, 0o755, 0, mtime)


@pytest.mark.parametrize("path", ["a", "a" * 100, f"{'a' * 90}/{'b' * 90}", "ä" * 80, f"{'c' * 200}/d"])
def test_a_header_is_read_as_written(path: str) -> None:
    archive = tar_header.of_folder("top", 7) + tar_header.of_file(path, 0, 7, executable=True) + bytes(1024)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        folder, file = tar.getmembers()
    assert (folder.name, folder.isdir(), folder.mode) == ("top", True, 0o755)
    assert (file.name, file.isfile(), file.mode, file.mtime, file.uid) == (path, True, 0o755, 7, 0)
