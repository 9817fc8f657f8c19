"""Digests that are kept with stamps: which are believed, and that no edit is missed.

A digest that was believed shows itself: `Kept.forge` replaces all that are kept by one that no file has.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from cluster_forge.adapters.disk import mounts
from cluster_forge.adapters.storage.cache import FolderCache, NoCache
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.adapters.workspace import KeptDigests, WorkspaceFiles, kept_digests
from cluster_forge.adapters.workspace.file_stamps import Stamp
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError, WorkspaceError
from cluster_forge.foundation.file_tree import FileTree, TreeDigests

FORGED = Digest("f" * 64)
OLD_AT_ONCE = -(10**12)
A, B = "working/web/a.yaml", "working/web/b.yaml"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="digests are kept on Linux only")


class Kept:
    """`ports.Cache` in a dict, without a seal: tests can change what is kept."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, Digest], bytes] = {}

    def get(self, kind: str, key: Digest) -> bytes | None:
        return self.entries.get((kind, key))

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        self.entries[kind, key] = content

    def forge(self) -> None:
        for key, content in self.entries.items():
            self.entries[key] = orjson.dumps([[*stamp, FORGED.hex] for *stamp, _ in orjson.loads(content)])


class Subject:
    """A workspace with two files in `working/`, and its digests."""

    def __init__(self, root: Path) -> None:
        self.root, self.cache = root, Kept()
        self.write(A, "a: 1\n")
        self.write(B, "b: 1\n")

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def of(self, *folders: str) -> dict[str, TreeDigests]:
        return dict(KeptDigests(WorkspaceFiles(self.root), self.cache, ThreadWorkers(2)).of(folders or ["working"]))

    def believed(self) -> set[str]:
        """The files below `working/` whose kept digests are believed; those of the others are checked."""
        self.cache.forge()
        digests = self.of()["working"].files
        actual = WorkspaceFiles(self.root).read_tree("working")
        assert actual is not None
        assert digests.keys() == actual.digests.files.keys()
        believed = {path for path, digest in digests.items() if digest == FORGED}
        assert {path: digest for path, digest in digests.items() if path not in believed} == {
            path: digest for path, digest in actual.digests.files.items() if path not in believed
        }
        return {f"working/{path}" for path in believed}


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """Its files were written a moment ago."""
    monkeypatch.setattr(mounts, "file_system", lambda _: "ext4")  # wherever the tests run
    return Subject(tmp_path / "ws 🙂")


@pytest.fixture
def subject(fresh: Subject, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """Its files count as old, and their digests are kept."""
    monkeypatch.setattr(kept_digests, "_YOUNG", OLD_AT_ONCE)
    time.sleep(0.02)  # several ticks of the file system's clock
    fresh.of()
    return fresh


def edit_in_place(file: Path) -> None:
    file.write_bytes(b"x" * file.stat().st_size)


def edit_and_restore_the_time(file: Path) -> None:
    status = file.stat()
    edit_in_place(file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)


def replace_by_another(file: Path) -> None:
    other = Path(shutil.copy2(file, file.with_name(".other")))
    edit_and_restore_the_time(other)
    other.replace(file)


def replace_by_a_copy(file: Path) -> None:
    Path(shutil.copy2(file, file.with_name(".copy"))).replace(file)


def edit_by_another_name(file: Path) -> None:
    other = file.with_name(".other")
    other.hardlink_to(file)
    edit_and_restore_the_time(other)


def replace_by_a_link(file: Path) -> None:
    target = file.with_name(".target")
    target.write_text("c: 1\n")
    file.unlink()
    file.symlink_to(target.name)


EDITS: list[Callable[[Path], None]] = [
    edit_in_place,
    edit_and_restore_the_time,
    replace_by_another,
    replace_by_a_copy,
    edit_by_another_name,
    replace_by_a_link,
]


class TestDigests:
    def test_they_are_those_of_the_trees(self, subject: Subject) -> None:
        (subject.root / A).chmod(0o755)
        subject.write("input/own/c.yaml", "c: 1\n")
        subject.write("input/own/.hidden/d.yaml", "d: 1\n")
        subject.write("input/own.yaml", "d: 1\n")
        for _ in range(2):
            files = WorkspaceFiles(subject.root)
            found = subject.of("working", "input/own", "input/own.yaml", "input/missing")
            assert sorted(found) == ["input/own", "working"]
            for folder, digests in found.items():
                tree = files.read_tree(folder)
                assert tree is not None
                assert (digests, digests.digest) == (tree.digests, tree.digest)

    def test_an_empty_tree(self, fresh: Subject) -> None:
        (fresh.root / "input/own/empty").mkdir(parents=True)
        assert fresh.of("input/own") == {"input/own": FileTree({}).digests}
        assert fresh.of("input/other") == {}

    def test_every_error_is_reported(self, subject: Subject) -> None:
        (subject.root / "input").mkdir()
        for name, target in (("one", "/etc"), ("two", "nowhere")):
            (subject.root / "input" / name).mkdir()
            (subject.root / "input" / name / "link").symlink_to(target)
        with pytest.raises(ExceptionGroup) as raised:
            subject.of("input/one", "working", "input/two")
        messages = [error.message for error in leaves(raised.value) if isinstance(error, ForgeError)]
        assert messages == [
            "the link points out of the workspace, to /etc",
            "the link is broken: its target does not exist",
        ]

    def test_a_pipe_in_the_place_of_a_known_file_is_refused(self, subject: Subject) -> None:
        (subject.root / A).unlink()
        os.mkfifo(subject.root / A)
        with pytest.raises(WorkspaceError, match="neither a file nor a directory"):
            subject.of()

    def test_a_file_that_is_too_large_is_refused_each_time(self, subject: Subject) -> None:
        os.truncate(subject.root / A, 1 << 30)
        for _ in range(2):
            with pytest.raises(WorkspaceError, match="file too large"):
                subject.of()


class TestBelief:
    @pytest.mark.parametrize("edit", EDITS)
    def test_no_edit_is_missed(self, subject: Subject, edit: Callable[[Path], None]) -> None:
        edit(subject.root / A)
        assert subject.believed() == {B}
        assert subject.believed() == {A, B}, "the new digest is kept"

    def test_a_moved_directory_takes_its_digests_with_it(self, subject: Subject) -> None:
        """Renaming a directory changes no stamp of the files in it."""
        subject.write("working/other/a.yaml", "a: 2\n")
        before = subject.of()["working"].files
        names = [subject.root / "working" / name for name in ("web", "other", ".aside")]
        for source, target in ((0, 2), (1, 0), (2, 1)):
            names[source].rename(names[target])
        after = subject.of()["working"].files
        assert after["web/a.yaml"] == before["other/a.yaml"] != before["web/a.yaml"]
        assert after["other/a.yaml"] == before["web/a.yaml"]

    def test_a_changed_mode_is_seen(self, subject: Subject) -> None:
        (subject.root / A).chmod(0o755)
        assert subject.of()["working"].executable == {"web/a.yaml"}

    def test_a_file_that_changes_while_it_is_looked_at_is_looked_at_again(self, subject: Subject) -> None:
        class Changing(WorkspaceFiles):
            def paths(self, folder: str) -> Iterator[tuple[str, str]]:
                for name, path in super().paths(folder) or ():
                    yield name, path
                    edit_and_restore_the_time(Path(path))

        subject.cache.entries.clear()
        KeptDigests(Changing(subject.root), subject.cache, ThreadWorkers(1)).of(["working"])
        assert subject.believed() == set()

    def test_what_vanished_is_not_kept(self, subject: Subject) -> None:
        (subject.root / A).unlink()
        subject.of()
        (entry,) = subject.cache.entries.values()
        assert len(orjson.loads(entry)) == 1

    def test_a_young_file_is_read_again(self, fresh: Subject) -> None:
        """The next edit might be in the same tick of the file system's clock."""
        fresh.of()
        assert fresh.cache.entries == {}

    @pytest.mark.parametrize("seconds", [-5, 0, 1, 2])
    def test_a_file_is_young_for_two_seconds(
        self, fresh: Subject, monkeypatch: pytest.MonkeyPatch, seconds: int
    ) -> None:
        """Also one that comes from the future, after the clock was set."""
        changed = (fresh.root / B).stat().st_ctime_ns
        monkeypatch.setattr(time, "time_ns", lambda: changed + seconds * 10**9)
        fresh.of()
        assert fresh.cache.entries == {}
        monkeypatch.setattr(time, "time_ns", lambda: changed + 4 * 10**9)
        fresh.of()
        assert fresh.believed() == {A, B}

    @pytest.mark.parametrize("name", ["nfs4", "vfat", "fuse.sshfs", "9p", "tmpfs", "overlay", None])
    def test_stamps_of_other_file_systems_prove_nothing(
        self, fresh: Subject, monkeypatch: pytest.MonkeyPatch, name: str | None
    ) -> None:
        monkeypatch.setattr(kept_digests, "_YOUNG", OLD_AT_ONCE)
        monkeypatch.setattr(mounts, "file_system", lambda _: name)
        fresh.of()
        assert fresh.cache.entries == {}

    @pytest.mark.parametrize("second", [32_503_680_000, -62_135_596_800])
    def test_times_of_another_millennium_are_not_kept(
        self, fresh: Subject, monkeypatch: pytest.MonkeyPatch, second: int
    ) -> None:
        """In nanoseconds, they have more than 64 bits. Not every file system holds them."""
        real = Stamp.of
        monkeypatch.setattr(Stamp, "of", lambda status: real(status)._replace(modified=second * 10**9))
        monkeypatch.setattr(kept_digests, "_YOUNG", OLD_AT_ONCE)
        assert fresh.of()["working"].files
        assert fresh.cache.entries == {}

    def test_the_next_start_of_the_machine_reads_everything(
        self, subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "boot_id").write_text("another")
        monkeypatch.setattr(kept_digests, "_BOOT_ID", tmp_path / "boot_id")
        assert subject.believed() == set()

    def test_a_system_that_does_not_name_its_start_keeps_nothing(
        self, subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        subject.cache.entries.clear()
        monkeypatch.setattr(kept_digests, "_BOOT_ID", tmp_path / "missing")
        subject.of()
        assert subject.cache.entries == {}

    def test_a_copy_of_the_workspace_is_read(self, subject: Subject, tmp_path: Path) -> None:
        copy = shutil.copytree(subject.root, tmp_path / "copy")
        other = Subject.__new__(Subject)
        other.root, other.cache = copy, subject.cache
        assert other.believed() == set()
        subject.root.rename(tmp_path / "moved away")
        copy.rename(subject.root)
        assert subject.believed() == set()


class TestCache:
    @pytest.fixture(autouse=True)
    def _old(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kept_digests, "_YOUNG", OLD_AT_ONCE)

    def digests(self, fresh: Subject, cache: FolderCache | NoCache) -> TreeDigests:
        return KeptDigests(WorkspaceFiles(fresh.root), cache, ThreadWorkers(1)).of(["working"])["working"]

    @pytest.mark.parametrize("damage", [b"", b"[]", b"poison" * 100])
    def test_a_damaged_entry_is_ignored_and_replaced(self, fresh: Subject, tmp_path: Path, damage: bytes) -> None:
        cache = FolderCache(tmp_path / "store")
        expected = self.digests(fresh, cache)
        (entry,) = (path for path in (tmp_path / "store").rglob("*") if path.is_file())
        whole = entry.read_bytes()
        for content in (damage, whole[:-1], whole[:32] + damage):
            entry.write_bytes(content)
            assert self.digests(fresh, cache) == expected
            assert entry.read_bytes() == whole

    def test_an_entry_of_another_user_is_ignored(self, fresh: Subject, tmp_path: Path) -> None:
        self.digests(fresh, FolderCache(tmp_path / "store", b"theirs"))
        (entry,) = (path for path in (tmp_path / "store").rglob("*") if path.is_file())
        before = entry.read_bytes()
        self.digests(fresh, FolderCache(tmp_path / "store", b"mine"))
        (own,) = (path for path in (tmp_path / "store").rglob("*") if path.is_file() and path != entry)
        own.write_bytes(before)
        edit_in_place(fresh.root / A)
        changed = self.digests(fresh, FolderCache(tmp_path / "store", b"mine"))
        assert changed.files["web/a.yaml"] == Digest.of((fresh.root / A).read_bytes())

    def test_without_the_cache_every_file_is_read(self, fresh: Subject) -> None:
        self.digests(fresh, NoCache())
        edit_in_place(fresh.root / A)
        assert self.digests(fresh, NoCache()).files["web/a.yaml"] == Digest.of((fresh.root / A).read_bytes())

    def test_processes_keep_digests_at_once(self, fresh: Subject, tmp_path: Path) -> None:
        for number in range(50):
            fresh.write(f"working/many/{number}.yaml", f"n: {number}\n")
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            found = pool.starmap(_look_often, [(fresh.root, tmp_path / "store")] * 2)
        actual = WorkspaceFiles(fresh.root).read_tree("working")
        assert actual is not None
        assert found == [actual.digests.digest] * 2


def _look_often(root: Path, store: Path) -> Digest:
    """In a process of its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(mounts, "file_system", lambda _: "ext4")
        patched.setattr(kept_digests, "_YOUNG", OLD_AT_ONCE)
        digests = KeptDigests(WorkspaceFiles(root), FolderCache(store), ThreadWorkers(2))
        found = {digests.of(["working"])["working"].digest for _ in range(20)}
    assert len(found) == 1
    return found.pop()
