"""A folder outside of a workspace: whole or not at all, and nothing beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cluster_forge.adapters.disk import atomic_replace, user_secret
from cluster_forge.adapters.workspace import OutputFolder
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree

TREE = FileTree({"a": b"1", "b/c": b"2", ".hidden": b"3"}, frozenset({"a"}))


def test_it_is_written_and_read(tmp_path: Path) -> None:
    files = OutputFolder(tmp_path / "not" / "yet")
    assert (files.read("x/a"), files.names("x")) == (None, [])
    files.replace_trees({"x": TREE})
    assert (files.read("x/a"), files.read("x/b/c"), files.read("x/b")) == (b"1", b"2", None)
    assert files.names("x") == [".hidden", "a", "b/c"]
    assert os.access(tmp_path / "not" / "yet" / "x" / "a", os.X_OK)
    files.replace_trees({"x": FileTree({"d": b"4"})})
    assert files.names("x") == ["d"]
    assert [path.name for path in (tmp_path / "not" / "yet").iterdir()] == ["x"]


def test_a_failure_leaves_the_old_folder(tmp_path: Path) -> None:
    files = OutputFolder(tmp_path)
    files.replace_trees({"x": TREE})
    with pytest.raises(WorkspaceError, match="cannot be written"):
        files.replace_trees({"x": FileTree({"n" * 300: b""})})
    assert files.names("x") == [".hidden", "a", "b/c"]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / atomic_replace.staging_name(user_secret.load())
    (left / "0" / "new").mkdir(parents=True)
    foreign = tmp_path / "aside-of-the-user"
    foreign.mkdir()
    OutputFolder(tmp_path).replace_trees({"x": TREE})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aside-of-the-user", "x"]


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "x").symlink_to(tmp_path / "other")
    files = OutputFolder(tmp_path)
    with pytest.raises(WorkspaceError, match="a link where a directory is needed"):
        files.names("x")
    with pytest.raises(WorkspaceError, match="a link where a directory is needed"):
        files.replace_trees({"x": TREE})
    assert list((tmp_path / "other").iterdir()) == []
