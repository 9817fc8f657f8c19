"""Copies of hand edits: for the user alone, bounded in number, and never through a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cluster_forge.adapters.workspace import FolderOfEdits
from cluster_forge.adapters.workspace.kept_edits import FOLDER, KEPT
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree

FILES = FileTree({"working/web/a.yaml": b"password: x\n", "input/web/manifests/sourced/b.yaml": b"b\n"})


def test_a_copy_has_the_files_and_the_list(tmp_path: Path) -> None:
    copy = tmp_path / FolderOfEdits(tmp_path).keep(FILES, "edited working/web/a.yaml\n")
    assert copy.parent == tmp_path / FOLDER
    assert (copy / "edits.txt").read_text() == "edited working/web/a.yaml\n"
    assert {path: (copy / "files" / path).read_bytes() for path in FILES} == dict(FILES.files)


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_a_copy_is_for_the_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        copy = tmp_path / FolderOfEdits(tmp_path).keep(FILES, "")
    finally:
        os.umask(before)
    paths = [copy.parent, copy, *copy.rglob("*")]
    assert {oct(path.stat().st_mode & 0o777) for path in paths if path.is_file()} == {"0o600"}
    assert {oct(path.stat().st_mode & 0o777) for path in paths if path.is_dir()} == {"0o700"}


def test_the_latest_copies_are_kept(tmp_path: Path) -> None:
    keeper = FolderOfEdits(tmp_path)
    (tmp_path / FOLDER).mkdir(parents=True)
    for name in ("29990101T000000.000Z", "mine"):
        (tmp_path / FOLDER / name).mkdir()
    copies = [Path(keeper.keep(FILES, "")).name for _ in range(KEPT + 3)]
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == [*copies[-KEPT:], "mine"]


@pytest.mark.parametrize("place", [FOLDER, ".cluster-forge"])
@pytest.mark.skipif(os.name != "posix", reason="links")
def test_links_are_not_followed(tmp_path: Path, place: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    workspace = tmp_path / "workspace"
    (workspace / place).parent.mkdir(parents=True)
    (workspace / place).symlink_to(elsewhere)
    with pytest.raises(WorkspaceError, match="a link where a directory is needed"):
        FolderOfEdits(workspace).keep(FILES, "")
    assert not list(elsewhere.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_planted_link_is_not_removed_through(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    keeper = FolderOfEdits(tmp_path)
    keeper.keep(FILES, "")
    (tmp_path / FOLDER / "20000101T000000.000Z").symlink_to(elsewhere)
    for _ in range(KEPT + 1):
        keeper.keep(FILES, "")
    assert (elsewhere / "file").exists()
