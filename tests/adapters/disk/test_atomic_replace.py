"""Directories are replaced whole, at whatever moment a run dies or fails: every moment is tried."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import pytest

from cluster_forge.adapters.disk import atomic_replace, exchange, flushing, mounts, tree_writing, user_secret
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
_EXCHANGE, _RENAME = exchange.exchange, os.rename


class System(StrEnum):
    """What a system can do with directories: exchange two; rename one; or neither, in a lower layer of overlayfs."""

    EXCHANGES = "exchanges"
    RENAMES = "renames"
    COPIES = "copies"


pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def different(root: Path, trees: dict[str, FileTree]) -> list[str]:
    return [name for name, tree in trees.items() if snapshot(root / name) != dict(tree.files)]


def end_at(number: int, end: Callable[[], Any]) -> None:
    """Run ``end`` before this process' call number ``number`` of a function that changes files."""
    calls = iter(range(number, -1, -1))

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **options: Any) -> Any:
            if next(calls, None) == 0:
                end()
            return call(*arguments, **options)

        return counting

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    exchange.exchange = counted(exchange.exchange)


def fail() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def replace_in_child(root: Path, moment: int, end: Callable[[], Any]) -> int:
    """Replace the trees in a process of its own; its exit code."""
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


def refuse_to_rename_old(source: Path | str, target: Path | str) -> None:
    """As on overlayfs: an old directory cannot be renamed."""
    if str(target).endswith("/old"):
        raise OSError(errno.EXDEV, "Invalid cross-device link")
    _RENAME(source, target)


def begin(root: Path, system: System) -> None:
    exchange.exchange = _EXCHANGE if system is System.EXCHANGES else lambda *_: False
    os.rename = cast("Any", refuse_to_rename_old if system is System.COPIES else _RENAME)
    for name in ("sync_tree", "sync"):  # slow, and without effect on a process that ends
        setattr(flushing, name, lambda _: None)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    WorkspaceFiles(root).replace_trees(OLD)


def die_at_every_moment(root: Path, system: System) -> None:
    moment, mixed = 0, 0
    code = KILLED
    while code:
        begin(root, system)
        code = replace_in_child(root, moment, lambda: os._exit(KILLED))
        assert code in (0, KILLED), code
        old, new = different(root, OLD), different(root, NEW)
        both = set(old) & set(new)
        assert len(both) <= (0 if system is System.EXCHANGES else 1), (moment, both)
        assert system is System.COPIES or all(not (root / name).exists() for name in both), moment
        assert sorted(WorkspaceFiles(root).list_files("w") or ()), moment
        assert not different(root, NEW) or not different(root, OLD), moment
        if old and new:
            mixed += 1
            assert not different(root, NEW), moment
        assert not list((root / ".cluster-forge").glob("aside-*")), moment
        WorkspaceFiles(root).replace_trees(NEW)
        assert not different(root, NEW), moment
        moment += 1
    assert moment > 30
    assert mixed >= 3


def fail_at_every_moment(root: Path, system: System) -> None:
    moment, failed, code = 0, 0, FAILED
    while failed == moment or moment < 40:
        begin(root, system)
        code = replace_in_child(root, moment, fail)
        assert code in (0, FAILED), code
        assert not different(root, OLD if code else NEW), (moment, code)
        WorkspaceFiles(root).replace_trees(NEW)
        assert not different(root, NEW), moment
        failed += bool(code)
        moment += 1
    assert failed > 20


@pytest.mark.parametrize("system", System)
@pytest.mark.parametrize("ends", [die_at_every_moment, fail_at_every_moment], ids=["dies", "fails"])
def test_run_that_ends_at_any_moment_leaves_whole_trees(
    tmp_path: Path, ends: Callable[[Path, System], None], system: System
) -> None:
    process = multiprocessing.get_context("spawn").Process(target=ends, args=(tmp_path / "w", system))
    process.start()
    process.join(120)
    assert process.exitcode == 0


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="other systems cannot")
def test_exchange_swaps_two_directories(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("")
    assert exchange.exchange(str(tmp_path / "a"), str(tmp_path / "b"))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
    with pytest.raises(FileNotFoundError) as raised:
        exchange.exchange(str(tmp_path / "a"), str(tmp_path / "no"))
    assert raised.value.filename == str(tmp_path / "a")


def dead_run(root: Path, moves_done: int) -> Path:
    """The staging directory of a run that died after that many renames: w/a is replaced, w/b is new."""
    secret = user_secret.load()
    WorkspaceFiles(root).replace_trees({"w/a": A})
    aside = root / ".cluster-forge" / atomic_replace.staging_name(secret)
    place = f".cluster-forge/{aside.name}"
    for number in "01":
        tree_writing.write(f"{aside}/{number}/new", B, "")
    moves = [(root / f"w/{name}", (aside / f"{number}/new").stat().st_ino) for number, name in enumerate("ab")]
    (aside / "moves.json").write_bytes(atomic_replace.journal(moves, aside, root, secret))
    renames = [("w/a", f"{place}/0/old"), (f"{place}/0/new", "w/a"), (f"{place}/1/new", "w/b")]
    for source, target in renames[:moves_done]:
        (root / source).rename(root / target)
    return aside


def test_recovery_keeps_a_directory_created_in_place_of_a_missing_one(tmp_path: Path) -> None:
    dead_run(tmp_path, 1)
    (tmp_path / "w/a").mkdir()
    (tmp_path / "w/a/mine").write_text("x")
    assert list(WorkspaceFiles(tmp_path).read_tree("w/a") or ()) == ["mine"]
    assert WorkspaceFiles(tmp_path).read_tree("w/b") == B


def test_recovery_keeps_edits_made_after_the_crash(tmp_path: Path) -> None:
    """A run that died before its first move is rolled back: its trees are dropped, later edits stay."""
    dead_run(tmp_path, 0)
    (tmp_path / "w/a/a.yaml").write_text("edited")
    tree = WorkspaceFiles(tmp_path).read_tree("w/a")
    assert tree
    assert tree["a.yaml"] == b"edited"
    assert not list((tmp_path / ".cluster-forge").glob("aside-*"))


@pytest.mark.parametrize("moves_done", range(4))
def test_recovery_works_in_a_moved_workspace(tmp_path: Path, moves_done: int) -> None:
    dead_run(tmp_path / "one", moves_done)
    (tmp_path / "one").rename(tmp_path / "two")
    tree = WorkspaceFiles(tmp_path / "two").read_tree("w")
    assert tree == (FileTree({"a/a.yaml": b"other", "b/a.yaml": b"other"}) if moves_done else A.under("a"))
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize("moves_done", range(4))
def test_recovery_of_a_copied_workspace_leaves_the_original_alone(tmp_path: Path, moves_done: int) -> None:
    aside = dead_run(tmp_path / "one", moves_done)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    before = snapshot(tmp_path / "one")
    tree = WorkspaceFiles(tmp_path / "two").read_tree("w/a")
    assert tree == (A if moves_done == 0 else B)
    assert snapshot(tmp_path / "one") == before
    assert aside.exists()
    assert not list((tmp_path / "two/.cluster-forge").glob("aside-*"))


def beside_of_dead_run(root: Path) -> tuple[Path, Path]:
    """The staging directory of a dead run for ``w/a``, and the one beside that target, as if ``w`` were another mount."""
    secret = user_secret.load()
    WorkspaceFiles(root).replace_trees({"w/a": A})
    aside = root / ".cluster-forge" / atomic_replace.staging_name(secret)
    aside.mkdir()
    (aside / "targets.json").write_bytes(atomic_replace.signed("targets.json", ["w/a"], aside, secret))
    beside = mounts.beside(root / "w", aside)
    tree_writing.write(f"{beside}/0/new", B, "")
    return aside, beside


def test_recovery_removes_what_is_beside_the_target(tmp_path: Path) -> None:
    aside, beside = beside_of_dead_run(tmp_path)
    (tmp_path / "w/.cluster-forge-aside-1-other").mkdir()
    assert WorkspaceFiles(tmp_path).read_tree("w/a") == A
    assert not aside.exists()
    assert not beside.exists()
    assert (tmp_path / "w/.cluster-forge-aside-1-other").exists()


@pytest.mark.parametrize("is_moved", [False, True])
def test_recovery_completes_what_is_beside_the_target(tmp_path: Path, is_moved: bool) -> None:
    root = tmp_path / "one"
    aside, beside = beside_of_dead_run(root)
    moves = [(root / "w/a", (beside / "0/new").stat().st_ino)]
    (aside / "moves.json").write_bytes(atomic_replace.journal(moves, aside, root, user_secret.load()))
    (root / "w/a").rename(beside / "0/old")
    if is_moved:
        root = root.rename(tmp_path / "two")
    assert WorkspaceFiles(root).read_tree("w/a") == B
    assert [path.name for path in (root / "w").iterdir()] == ["a"]
    assert not list((root / ".cluster-forge").glob("aside-*"))


@pytest.mark.parametrize("edit", [b" ", b"", b"x"])
def test_recovery_ignores_a_journal_that_was_edited(tmp_path: Path, edit: bytes) -> None:
    aside = dead_run(tmp_path, 2)
    journal = aside / "moves.json"
    content = journal.read_bytes()
    journal.write_bytes(content.replace(b"w/b", b"w/c") + edit)
    files = WorkspaceFiles(tmp_path)
    assert files.read_tree("w/c") is None
    assert files.read_tree("w/b") is None
