"""A single file is replaced whole; drafts of dead processes are removed, those of living ones are not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cluster_forge.adapters.disk import atomic_write

if sys.platform != "win32":
    import fcntl


@pytest.mark.parametrize("is_durable", [True, False])
@pytest.mark.parametrize("is_locked", [True, False])
def test_file_is_created_and_replaced(tmp_path: Path, is_durable: bool, is_locked: bool) -> None:
    target, draft = tmp_path / "file", tmp_path / "draft"
    for content in (b"one", b"two" * 100_000):
        atomic_write.write(target, content, draft=draft, is_durable=is_durable, is_locked=is_locked)
        assert target.read_bytes() == content
        assert not draft.exists()


def test_failure_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    (tmp_path / "target/inside").mkdir(parents=True)
    with pytest.raises(OSError, match="Is a directory"):
        atomic_write.write(tmp_path / "target", b"x", draft=tmp_path / "draft")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["target"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not remove open files")
def test_only_abandoned_drafts_are_removed(tmp_path: Path) -> None:
    (tmp_path / "dead").write_bytes(b"half")
    with (tmp_path / "alive").open("xb") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        atomic_write.remove_abandoned(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["alive"]
    atomic_write.remove_abandoned(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="needs modes")
def test_mode_is_reduced_by_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        atomic_write.create(str(tmp_path / "file"), 0o777).close()
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o750
