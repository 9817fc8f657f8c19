"""Folders are replaced whole, whatever moment a run dies or fails at: every moment is tried."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import pytest

from cluster_forge.adapters.disk import swap, writing
from cluster_forge.adapters.workspace import WorkspaceFiles
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree

A = FileTree({"a.yaml": b"a", "sub/b.sh": b"b"}, frozenset({"sub/b.sh"}))
B = FileTree({"a.yaml": b"other"})
EMPTY = FileTree({})
OLD = {"w/changes": A, "w/goes": B, "w/comes": EMPTY, "w/changes too": B}
NEW = {"w/changes": B, "w/goes": EMPTY, "w/comes": A, "w/changes too": A}
CALLS = ("rename", "replace", "mkdir", "unlink", "rmdir", "open")
KILLED, FAILED = 9, 5
_FOLDERS, _RENAME = swap.folders, os.rename


class System(StrEnum):
    """What a system can do with folders: exchange two, or at least rename one, or neither if it is of an old layer."""

    SWAPS = "swaps"
    MOVES = "moves"
    COPIES = "copies"


pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def differing(root: Path, trees: dict[str, FileTree]) -> list[str]:
    return [name for name, tree in trees.items() if snapshot(root / name) != dict(tree.files)]


def end_at(number: int, end: Callable[[], Any]) -> None:
    """Let this process meet its end before its call of that number of what changes files."""
    calls = iter(range(number, -1, -1))

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **options: Any) -> Any:
            if next(calls, None) == 0:
                end()
            return call(*arguments, **options)

        return counting

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    swap.folders = counted(swap.folders)


def fail() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def write_anew(root: Path, moment: int, end: Callable[[], Any]) -> int:
    """In a process of its own; how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    files = WorkspaceFiles(root)
    with files.locked():
        end_at(moment, end)
        try:
            files.replace_trees(NEW)
        except WorkspaceError:
            os._exit(FAILED)
        os._exit(0)


def moved_nowhere(source: Path | str, target: Path | str) -> None:
    """As on overlayfs: what was there before cannot be renamed."""
    if str(target).endswith("/old"):
        raise OSError(errno.EXDEV, "Invalid cross-device link")
    _RENAME(source, target)


def begin(root: Path, system: System) -> None:
    swap.folders = _FOLDERS if system is System.SWAPS else lambda *_: False
    os.rename = cast("Any", moved_nowhere if system is System.COPIES else _RENAME)
    for name in ("flush", "_sync"):  # slow, and nothing to a process that ends
        setattr(writing, name, lambda _: None)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    WorkspaceFiles(root).replace_trees(OLD)


def die_at_every_moment(root: Path, system: System) -> None:
    moment, mixed = 0, 0
    code = KILLED
    while code:
        begin(root, system)
        code = write_anew(root, moment, lambda: os._exit(KILLED))
        assert code in (0, KILLED), code
        old, new = differing(root, OLD), differing(root, NEW)
        both = set(old) & set(new)
        assert len(both) <= (0 if system is System.SWAPS else 1), (moment, both)
        assert system is System.COPIES or all(not (root / name).exists() for name in both), moment
        assert sorted(WorkspaceFiles(root).list_files("w") or ()), moment
        assert not differing(root, NEW) or not differing(root, OLD), moment
        if old and new:
            mixed += 1
            assert not differing(root, NEW), moment
        assert not list((root / ".cluster-forge").glob("aside-*")), moment
        WorkspaceFiles(root).replace_trees(NEW)
        assert not differing(root, NEW), moment
        moment += 1
    assert moment > 30
    assert mixed >= 3


def fail_at_every_moment(root: Path, system: System) -> None:
    moment, failed, code = 0, 0, FAILED
    while failed == moment or moment < 40:
        begin(root, system)
        code = write_anew(root, moment, fail)
        assert code in (0, FAILED), code
        assert not differing(root, OLD if code else NEW), (moment, code)
        WorkspaceFiles(root).replace_trees(NEW)
        assert not differing(root, NEW), moment
        failed += bool(code)
        moment += 1
    assert failed > 20


@pytest.mark.parametrize("system", System)
@pytest.mark.parametrize("ends", [die_at_every_moment, fail_at_every_moment], ids=["dies", "fails"])
def test_whatever_moment_a_run_ends_at(tmp_path: Path, ends: Callable[[Path, System], None], system: System) -> None:
    process = multiprocessing.get_context("spawn").Process(target=ends, args=(tmp_path / "w", system))
    process.start()
    process.join(120)
    assert process.exitcode == 0


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="other systems cannot")
def test_two_folders_change_places(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("")
    assert swap.folders(str(tmp_path / "a"), str(tmp_path / "b"))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
    with pytest.raises(FileNotFoundError) as raised:
        swap.folders(str(tmp_path / "a"), str(tmp_path / "no"))
    assert raised.value.filename == str(tmp_path / "a")


def cut_short(root: Path, moves_done: int) -> Path:
    """What a run leaves that dies after so many renames in two steps, before the next: w/a changes, w/b comes."""
    WorkspaceFiles(root).replace_trees({"w/a": A})
    aside = root / ".cluster-forge/aside-1-dead"
    WorkspaceFiles(root).replace_trees({f".cluster-forge/aside-1-dead/{n}/new": B for n in "01"})
    moves = [
        {
            "target": f"../../w/{name}",
            "new": f"{number}/new",
            "old": f"{number}/old",
            "inode": (aside / str(number) / "new").stat().st_ino,
        }
        for number, name in enumerate("ab")
    ]
    (aside / "moves.json").write_text(json.dumps(moves))
    place = ".cluster-forge/aside-1-dead"
    renames = [("w/a", f"{place}/0/old"), (f"{place}/0/new", "w/a"), (f"{place}/1/new", "w/b")]
    for source, target in renames[:moves_done]:
        (root / source).rename(root / target)
    return aside


def test_what_somebody_made_in_place_of_a_missing_folder_stays(tmp_path: Path) -> None:
    cut_short(tmp_path, 1)
    (tmp_path / "w/a").mkdir()
    (tmp_path / "w/a/mine").write_text("x")
    assert list(WorkspaceFiles(tmp_path).read_tree("w/a") or ()) == ["mine"]
    assert WorkspaceFiles(tmp_path).read_tree("w/b") == B


def test_what_somebody_edited_since_is_not_overwritten(tmp_path: Path) -> None:
    """A run died before it moved anything: what it had made is given up, not what was edited after it."""
    cut_short(tmp_path, 0)
    (tmp_path / "w/a/a.yaml").write_text("edited")
    tree = WorkspaceFiles(tmp_path).read_tree("w/a")
    assert tree
    assert tree["a.yaml"] == b"edited"
    assert not list((tmp_path / ".cluster-forge").glob("aside-*"))


@pytest.mark.parametrize("moves_done", range(4))
def test_a_workspace_may_be_moved_with_what_a_dead_run_left(tmp_path: Path, moves_done: int) -> None:
    cut_short(tmp_path / "one", moves_done)
    (tmp_path / "one").rename(tmp_path / "two")
    tree = WorkspaceFiles(tmp_path / "two").read_tree("w")
    assert tree == (FileTree({"a/a.yaml": b"other", "b/a.yaml": b"other"}) if moves_done else A.under("a"))
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize("moves_done", range(4))
def test_a_copy_of_it_leaves_the_first_alone(tmp_path: Path, moves_done: int) -> None:
    aside = cut_short(tmp_path / "one", moves_done)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    before = snapshot(tmp_path / "one")
    tree = WorkspaceFiles(tmp_path / "two").read_tree("w/a")
    assert tree == (A if moves_done == 0 else B)
    assert snapshot(tmp_path / "one") == before
    assert aside.exists()
    assert not list((tmp_path / "two/.cluster-forge").glob("aside-*"))
