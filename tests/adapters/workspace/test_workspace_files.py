from __future__ import annotations

import ctypes
import errno
import multiprocessing
import os
import sys
import threading
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cluster_forge.adapters.disk import atomic_replace, user_secret
from cluster_forge.adapters.workspace import WorkspaceFiles
from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree

IS_ROOT = os.name == "posix" and os.geteuid() == 0
A = FileTree({"a.yaml": b"a", "sub/b.sh": b"b"}, frozenset({"sub/b.sh"}))
B = FileTree({"a.yaml": b"other"})

names = st.text("aäB 🙂-_~", min_size=1, max_size=5).filter(lambda name: not name.startswith("."))
trees = st.dictionaries(
    st.tuples(st.sampled_from(["", "x/", "x/y/", "z/"]), names).map("".join), st.binary(max_size=50)
)


@pytest.fixture(params=["plain", "with spaces, ümlauts 🙂"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / str(request.param)
    folder.mkdir()
    return folder


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=trees, second=trees)
def test_reading_returns_the_tree_that_was_written(
    tmp_path: Path, first: dict[str, bytes], second: dict[str, bytes]
) -> None:
    files = WorkspaceFiles(tmp_path)
    for content in (first, second):
        tree = FileTree({path: text for path, text in content.items() if path not in ("x", "x/y", "z")})
        files.replace_trees({"working/w": tree})
        assert files.read_tree("working/w") == (tree if tree.files else None)
        assert [path.name for path in (tmp_path / ".cluster-forge").iterdir() if path.is_dir()] == []


def test_modes_are_kept(root: Path) -> None:
    files = WorkspaceFiles(root)
    files.replace_trees({"working": A, "input/x/manifests/sourced": B})
    assert files.read_tree("working") == A
    assert (root / "working/sub/b.sh").stat().st_mode & 0o111
    assert files.read_tree("input/x/manifests/sourced/") == B


def test_missing_paths_are_none(root: Path) -> None:
    files = WorkspaceFiles(root)
    (root / "file").write_text("x")
    assert files.read("no") is None
    assert files.read("file/below") is None
    assert files.read(".") is None
    assert files.read_tree("no") is None
    assert files.read_tree("file") is None
    assert files.read_chart("no") is None
    assert files.list_files("no/such") is None
    assert not (root / ".cluster-forge").exists()


def test_hidden_files_are_left_out_except_in_charts(root: Path) -> None:
    for name in ("c/.helmignore", "c/.git/config", "c/Chart.yaml", "c/sub/x", ".hidden"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    files = WorkspaceFiles(root)
    tree, chart = files.read_tree("c"), files.read_chart("c")
    assert tree
    assert chart
    assert list(tree) == ["Chart.yaml", "sub/x"]
    assert list(chart) == [".git/config", ".helmignore", "Chart.yaml", "sub/x"]
    assert files.list_files("c") == ["c/Chart.yaml", "c/sub/x"]
    assert files.list_files(".") == ["c/Chart.yaml", "c/sub/x"]
    assert files.list_files("./c//sub/x") == ["c/sub/x"]
    assert files.read("c/.helmignore") == b"c/.helmignore"


@pytest.mark.parametrize("folder", ["input/web", "./input//web/", "input", "input/web/manifests"])
def test_sourced_trees_are_not_part_of_a_chart(root: Path, folder: str) -> None:
    files = {"Chart.yaml", "manifests/sourced/.written", "manifests/sourced/a.yaml", "manifests/own.yaml"}
    files |= {"charts/sub/manifests/sourced/.written", "charts/sub/manifests/sourced/b.yaml"}
    for name in files:
        (root / "input/web" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "input/web" / name).write_text(name)
    chart = WorkspaceFiles(root).read_chart(folder)
    assert chart
    assert not any(name.endswith("a.yaml") for name in chart)
    assert any(name.endswith("own.yaml") for name in chart)
    assert any(name.endswith("b.yaml") for name in chart) == (folder != "input/web/manifests"), "the chart's own"
    (root / "input/web/manifests/sourced/.written").unlink()
    chart = WorkspaceFiles(root).read_chart(folder)
    assert any(name.endswith("a.yaml") for name in chart or ()), "nothing says that mine wrote it"


def test_links_inside_the_workspace_are_followed(root: Path) -> None:
    WorkspaceFiles(root).replace_trees({"input/shared": A, "input/c": B})
    (root / "input/c/file").symlink_to("../shared/a.yaml")
    (root / "input/c/folder").symlink_to(root / "input/shared")
    files = WorkspaceFiles(root)
    tree = files.read_tree("input/c")
    assert tree
    assert dict(tree.files) == {"a.yaml": b"other", "file": b"a", "folder/a.yaml": b"a", "folder/sub/b.sh": b"b"}
    assert files.read("input/c/folder/a.yaml") == b"a"
    with pytest.raises(ExceptionGroup) as raised:
        files.read_chart("input/c")
    assert ["out of the chart" in str(error) for error in expected(raised.value)] == [True, True]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("/etc", "out of the workspace"),
        ("../../..", "out of the workspace"),
        ("missing", "the link is broken"),
        (".", "contains it"),
    ],
)
def test_other_links_are_refused(root: Path, target: str, message: str) -> None:
    (root / "input/c").mkdir(parents=True)
    (root / "input/c/link").symlink_to(target)
    for read in (WorkspaceFiles(root).read_tree, WorkspaceFiles(root).list_files):
        with pytest.raises(WorkspaceError, match=message) as raised:
            read("input")
        assert raised.value.where
        assert raised.value.where.endswith("input/c/link")
        assert raised.value.fix


def test_cycles_of_links_are_refused(root: Path) -> None:
    (root / "input/a").mkdir(parents=True)
    (root / "input/b").mkdir()
    (root / "input/a/to-b").symlink_to("../b")
    (root / "input/b/to-a").symlink_to("../a")
    (root / "input/x").symlink_to("y")
    with pytest.raises(WorkspaceError, match="contains it"):
        WorkspaceFiles(root).read_tree("input/a")
    (root / "input/y").symlink_to("x")
    with pytest.raises(ExceptionGroup) as raised:
        WorkspaceFiles(root).read_tree("input")
    assert [str(error).partition(": ")[::2] for error in expected(raised.value)] == [
        ("input/a/to-b", "the link points to a directory that contains it"),
        ("input/b/to-a", "the link points to a directory that contains it"),
        ("input/x", "the link is broken: its target does not exist"),
        ("input/y", "the link is broken: its target does not exist"),
    ]


def test_workspace_and_its_top_level_directories_may_be_links(tmp_path: Path, root: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    WorkspaceFiles(elsewhere).replace_trees({"input": A})
    (root / "input").symlink_to(elsewhere / "input")
    (tmp_path / "link").symlink_to(root)
    files = WorkspaceFiles(tmp_path / "link")
    assert files.read_tree("input") == A
    assert files.read("input/a.yaml") == b"a"
    files.replace_trees({"input/new": B, "working": B})
    assert (elsewhere / "input/new/a.yaml").read_bytes() == b"other"
    assert (root / "working/a.yaml").read_bytes() == b"other"


@pytest.mark.parametrize("path", ["../x", "..", "/etc/passwd", "a/../../x", "link/passwd"])
def test_paths_out_of_the_workspace_are_refused(root: Path, path: str) -> None:
    (root / "sub").mkdir()
    (root / "sub/link").symlink_to("/etc")
    files = WorkspaceFiles(root)
    wanted = path.replace("link", "sub/link")
    for call in (files.read, files.read_tree, files.list_files, lambda p: files.write(p, b"")):
        with pytest.raises(WorkspaceError, match="outside of the workspace"):
            call(wanted)


def test_names_that_are_not_text_are_reported(root: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"not (?:UTF-8 )?text"):
        WorkspaceFiles(root).read("a\0b")
    (root / "input").mkdir()
    try:
        Path(os.fsdecode(os.fsencode(root / "input") + b"/\xff")).write_text("x")
    except OSError:
        pytest.skip("this file system has text names only")
    with pytest.raises(WorkspaceError, match=r"not (?:UTF-8 )?text"):
        WorkspaceFiles(root).read_tree("input")


@pytest.mark.skipif(os.name != "posix", reason="only Unix has pipes in directories")
def test_pipe_is_refused(root: Path) -> None:
    (root / "input").mkdir()
    os.mkfifo(root / "input/pipe")
    for call, path in ((WorkspaceFiles.read_tree, "input"), (WorkspaceFiles.read, "input/pipe")):
        with pytest.raises(WorkspaceError, match="neither a file nor a directory"):
            call(WorkspaceFiles(root), path)


@pytest.mark.skipif(IS_ROOT or os.name != "posix", reason="root may read and write everything")
def test_missing_permission_is_reported(root: Path) -> None:
    files = WorkspaceFiles(root)
    files.replace_trees({"working": A})
    (root / "working/a.yaml").chmod(0)
    with pytest.raises(WorkspaceError, match="Permission denied"):
        files.read_tree("working")
    root.chmod(0o500)
    try:
        with pytest.raises(WorkspaceError, match="cannot be written"):
            files.replace_trees({"stacks": B})
    finally:
        root.chmod(0o700)


def test_file_is_written_whole(root: Path) -> None:
    files = WorkspaceFiles(root)
    for content in (b"one", b"two"):
        files.write("input/cluster-forge.lock", content)
        assert files.read("input/cluster-forge.lock") == content
    assert [path.name for path in (root / "input").iterdir()] == ["cluster-forge.lock"]
    (root / "folder/x").mkdir(parents=True)
    with pytest.raises(WorkspaceError, match="cannot be written"):
        files.write("folder", b"x")
    assert sorted(path.name for path in root.iterdir()) == [".cluster-forge", "folder", "input"]


def test_state_directory_is_ignored_by_git(root: Path) -> None:
    WorkspaceFiles(root).write("x", b"")
    assert (root / ".cluster-forge/.gitignore").read_text() == "*\n!.gitignore\n!history.jsonl\n"


def test_current_tree_is_not_touched(root: Path) -> None:
    files = WorkspaceFiles(root)
    files.replace_trees({"a": A, "b": B})
    before = (root / "a").stat().st_ino
    files.replace_trees({"a": A, "b": A})
    assert (root / "a").stat().st_ino == before
    (root / "a/.hidden").write_text("x")
    files.replace_trees({"a": A})
    assert not (root / "a/.hidden").exists()
    (root / "a/link").symlink_to("a.yaml")
    files.replace_trees({"a": A})
    assert snapshot(root / "a") == {"a.yaml": b"a", "sub/b.sh": b"b"}


def test_empty_tree_removes_its_directory(root: Path) -> None:
    files = WorkspaceFiles(root)
    files.replace_trees({"w/a": A, "w/b": B})
    files.replace_trees({"w/a": FileTree({}), "w/c": FileTree({})})
    assert files.read_tree("w/a") is None
    assert [path.name for path in (root / "w").iterdir()] == ["b"]


def test_failure_leaves_every_old_tree_whole(root: Path) -> None:
    """The third directory cannot be created: its parent is a file."""
    files = WorkspaceFiles(root)
    files.replace_trees({"w/a": A, "w/b": B})
    (root / "file").write_text("x")
    before = snapshot(root)
    with pytest.raises(WorkspaceError) as raised:
        files.replace_trees({"w/a": B, "w/b": FileTree({}), "w/new": A, "file/below": A})
    assert raised.value.fix
    assert snapshot(root) == before
    assert not list((root / ".cluster-forge").glob("aside-*"))


def test_unwritable_tree_leaves_the_old_ones_whole(root: Path) -> None:
    files = WorkspaceFiles(root)
    files.replace_trees({"w/a": A, "w/b": B})
    before = snapshot(root)
    with pytest.raises(WorkspaceError):
        files.replace_trees({"w/a": B, "w/b": FileTree({"x": b"", "x/y": b""})})
    with pytest.raises(WorkspaceError, match="name too long"):
        files.replace_trees({"w/a": B, "w/b": FileTree({"x" * 300: b""})})
    assert snapshot(root) == before


def test_every_file_is_flushed_without_syncfs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    files = WorkspaceFiles(root)
    files.replace_trees({"w": A})
    assert files.read_tree("w") == A


def test_failing_flush_is_reported(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def syncfs(self, descriptor: int) -> int:
            ctypes.set_errno(errno.ENOSPC)
            return -1

    files = WorkspaceFiles(root)
    files.replace_trees({"w": B})
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Broken())
    if sys.platform == "linux":
        with pytest.raises(WorkspaceError, match=r"did not accept .* \(No space left on device\)") as raised:
            files.replace_trees({"w": A})
        assert "free some space" in str(raised.value.fix)
        assert files.read_tree("w") == B


def test_run_killed_while_staging_has_changed_nothing(root: Path) -> None:
    files = WorkspaceFiles(root)
    files.replace_trees({"w": A})
    half = root / ".cluster-forge" / atomic_replace.staging_name(user_secret.load()) / "new0"
    half.mkdir(parents=True)
    (half / "x").write_text("half")
    assert WorkspaceFiles(root).read_tree("w") == A
    assert not half.exists()


def hold(root: Path, held: Event, done: Event) -> None:
    with WorkspaceFiles(root).locked():
        held.set()
        done.wait(60)


def test_one_process_at_a_time_writes(root: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    process = context.Process(target=hold, args=(root, held, done))
    process.start()
    try:
        assert held.wait(60)
        files = WorkspaceFiles(root, patience=0.1)
        (root / ".cluster-forge/aside-1-alive").mkdir()
        with pytest.raises(
            WorkspaceError, match=rf"in use by process {process.pid}(?: \(.+\))? on .+ since \d{{4}}-"
        ) as raised:
            files.write("x", b"")
        assert raised.value.fix
        assert files.read("x") is None  # reading needs no lock …
        assert (root / ".cluster-forge/aside-1-alive").exists()  # … and does not touch the staging of others
    finally:
        done.set()
        process.join(60)
    files.write("x", b"")
    assert not (root / ".cluster-forge/lock.holder").exists()


def test_lock_of_a_dead_process_is_taken_over(root: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    process = context.Process(target=hold, args=(root, held, done))
    process.start()
    assert held.wait(60)
    process.kill()
    process.join(60)
    WorkspaceFiles(root, patience=5).write("x", b"y")
    assert (root / "x").read_bytes() == b"y"


def test_lock_may_be_taken_again_by_any_thread(root: Path) -> None:
    files = WorkspaceFiles(root, patience=0.1)
    with files.locked(), files.locked():
        threads = [threading.Thread(target=files.replace_trees, args=({f"w/{n}": A},)) for n in range(8)]
        threads += [threading.Thread(target=files.write, args=(f"f{n}", b"x")) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with pytest.raises(WorkspaceError, match=f"in use by process {os.getpid()}"):
            WorkspaceFiles(root, patience=0).write("x", b"")
    assert len(files.list_files("w") or ()) == 16
    WorkspaceFiles(root, patience=0).write("x", b"")


def test_overlong_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="path too long: 1,000,000 characters"):
        WorkspaceFiles(tmp_path).read("a/" * 500_000)


def test_all_bad_links_and_pipes_are_named_together(root: Path) -> None:
    (root / "input/c").mkdir(parents=True)
    (root / "input/c/good").write_text("x")
    (root / "input/c/out").symlink_to("/etc/hostname")
    (root / "input/c/broken").symlink_to("missing")
    os.mkfifo(root / "input/c/pipe")
    files = WorkspaceFiles(root)
    for look in (files.read_tree, files.list_files):
        with pytest.raises(ExceptionGroup) as raised:
            look("input/c")
        assert [error.where for error in expected(raised.value)] == [
            "input/c/broken",
            "input/c/out",
            "input/c/pipe",
        ]
