"""The fakes of this folder and the real adapters meet the contracts of the ports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster_forge.adapters.storage.cache import FolderCache
from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.adapters.workspace import KeptDigests, WorkspaceFiles
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import RenderError, WorkspaceError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.storage import Store
from cluster_forge.ports.workers import Workers
from cluster_forge.ports.workspace import FolderDigests, Workspace

if TYPE_CHECKING:
    from tests.stages.conftest import Harness, MemoryFiles, MemoryStore


class TestStore:
    @pytest.fixture(params=["fake", "folder"])
    def store(self, request: pytest.FixtureRequest, tmp_path: Path, memory_store: MemoryStore) -> Store:
        return memory_store if request.param == "fake" else FolderStore(tmp_path)

    @pytest.mark.parametrize("content", [b"", b"a", b"\x00" * 100_000])
    def test_content_is_returned_by_its_digest(self, store: Store, content: bytes) -> None:
        assert store.get(Digest.of(content)) is None
        assert store.put(content) == Digest.of(content)
        assert store.put(content) == Digest.of(content)
        assert store.get(Digest.of(content)) == content

    def test_a_corrupt_entry_counts_as_missing(self, memory_store: MemoryStore, tmp_path: Path) -> None:
        folder = FolderStore(tmp_path)
        for store in (memory_store, folder):
            store.put(b"a")
        memory_store.entries[Digest.of(b"a")] = b"b"
        (entry,) = (path for path in tmp_path.rglob("*") if path.is_file())
        entry.write_bytes(b"b")
        stores: list[Store] = [memory_store, folder]
        for subject in stores:
            assert subject.get(Digest.of(b"a")) is None
            subject.put(b"a")
            assert subject.get(Digest.of(b"a")) == b"a"


class TestWorkspace:
    @pytest.fixture(params=["fake", "workspace"])
    def files(self, request: pytest.FixtureRequest, tmp_path: Path, memory_files: MemoryFiles) -> Workspace:
        return memory_files if request.param == "fake" else WorkspaceFiles(tmp_path)

    def test_a_file(self, files: Workspace) -> None:
        assert files.read("input/config.yaml") is None
        for content in (b"a", b"b", b""):
            files.write("input/config.yaml", content)
            assert files.read("input/config.yaml") == content
        assert files.read("input") is None

    def test_a_tree(self, files: Workspace) -> None:
        assert files.read_tree("working") is None
        tree = FileTree({"a/b.yaml": b"1", "c.yaml": b"2"})
        files.replace_trees({"working": tree})
        assert files.read_tree("working") == tree
        assert files.read_tree("working/") == tree
        assert files.read_tree("working/a") == FileTree({"b.yaml": b"1"})
        assert files.read_tree("working/c.yaml") is None
        assert files.read("working/a/b.yaml") == b"1"

    def test_a_replaced_tree_leaves_no_old_files(self, files: Workspace) -> None:
        files.write("input/other.yaml", b"kept")
        files.replace_trees({"input/x": FileTree({"a": b"1", "b/c": b"2"}), "input/y": FileTree({"a": b"3"})})
        files.replace_trees({"input/x": FileTree({"b": b"4"})})
        assert files.read_tree("input") == FileTree({"other.yaml": b"kept", "x/b": b"4", "y/a": b"3"})

    def test_an_empty_tree_removes_the_folder(self, files: Workspace) -> None:
        files.replace_trees({"working": FileTree({"a": b"1"})})
        files.replace_trees({"working": FileTree({})})
        assert files.read_tree("working") is None

    def test_hidden_files_are_written_and_not_listed(self, files: Workspace) -> None:
        files.replace_trees({"working": FileTree({".record.json": b"{}", "a": b"1", "b/.c/d": b"2"})})
        assert files.read_tree("working") == FileTree({"a": b"1"})
        assert files.read("working/.record.json") == b"{}"
        files.replace_trees({"working": FileTree({".record.json": b"{}"})})
        assert files.read_tree("working") == FileTree({})

    def test_all_names_are_listed(self, files: Workspace) -> None:
        assert files.names("working") == []
        files.replace_trees({"working": FileTree({".record.json": b"{}", "a": b"1", "b/.c/d": b"2"})})
        assert files.names("working/") == [".record.json", "a", "b/.c/d"]
        assert files.names("working/a") == []

    @pytest.mark.parametrize("path", ["../a", "a/../../b", "/etc/hosts"])
    def test_paths_outside_of_the_workspace_are_refused(self, files: Workspace, path: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: files.read(path),
            lambda: files.read_tree(path),
            lambda: files.write(path, b"a"),
            lambda: files.replace_trees({path: FileTree({"a": b"1"})}),
        ]
        for call in calls:
            with pytest.raises(WorkspaceError):
                call()


class TestDigests:
    @pytest.fixture(params=["fake", "workspace"])
    def workspace(
        self, request: pytest.FixtureRequest, tmp_path: Path, harness: Harness
    ) -> tuple[Workspace, FolderDigests]:
        if request.param == "fake":
            return harness.files, harness.toolbox.digests
        files = WorkspaceFiles(tmp_path / "ws")
        return files, KeptDigests(files, FolderCache(tmp_path / "store"), ThreadWorkers(2))

    def test_they_are_those_of_the_trees(self, workspace: tuple[Workspace, FolderDigests]) -> None:
        files, digests = workspace
        assert digests.of([]) == {}
        for tree in (FileTree({"a/b.yaml": b"1", "c.yaml": b"2"}), FileTree({"c.yaml": b"3"})):
            files.replace_trees({"working": FileTree({**tree.files, ".record.json": b"{}"}), "input/x": tree})
            assert digests.of(["working", "input/x", "input/y", "input/x/c.yaml"]) == {
                "working": tree.digests,
                "input/x": tree.digests,
            }

    def test_paths_outside_of_the_workspace_are_refused(self, workspace: tuple[Workspace, FolderDigests]) -> None:
        with pytest.raises(WorkspaceError):
            workspace[1].of(["../a"])


class TestWorkers:
    @pytest.fixture(params=["fake", "threads"])
    def workers(self, request: pytest.FixtureRequest, harness: Harness) -> Workers:
        return harness.toolbox.workers if request.param == "fake" else ThreadWorkers(4)

    def test_results_are_in_the_order_of_the_items(self, workers: Workers) -> None:
        assert workers.map(lambda number: number * 2, range(50)) == [number * 2 for number in range(50)]
        assert workers.map(str, []) == []

    def test_every_error_is_raised_after_every_call(self, workers: Workers, harness: Harness) -> None:
        called = []

        def call(number: int) -> None:
            called.append(number)
            if number == 1:
                raise ExceptionGroup("two", [RenderError("one"), RenderError("two")])
            if number == 3:
                raise RenderError("three")

        messages = [error.message for error in harness.errors(lambda: workers.map(call, range(5)))]
        assert messages == ["one", "two", "three"]
        assert sorted(called) == [0, 1, 2, 3, 4]
