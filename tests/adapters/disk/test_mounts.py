"""What the system tells about mounts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cluster_forge.adapters.disk import mounts


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
@pytest.mark.parametrize(("path", "name"), [("/proc", "proc"), ("/proc/version", "proc"), ("/missing", None)])
def test_the_file_system_of_a_path(path: str, name: str | None) -> None:
    assert mounts.file_system(Path(path)) == name


def test_a_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr("os.O_PATH", raising=False)
    assert mounts.file_system(tmp_path) is None
    assert mounts.draft_on_mount_of(tmp_path / "a", tmp_path / "draft") == tmp_path / "draft"
