"""A second cast: what the folder holds already is not built again, and everything else is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cluster_forge.adapters.git.bare_repositories import BareRepositories
from cluster_forge.adapters.storage.cache import FolderCache, NoCache
from cluster_forge.adapters.workspace import KeptDigests, WorkspaceFiles
from cluster_forge.foundation.file_tree import NO_FILES, FileTree
from cluster_forge.stack.model import GitOps, GitOpsEngine, Stack
from cluster_forge.stages.build.cast import CastRequest, CastResult, cast
from cluster_forge.stages.build.casting.cast_changes import NO_CHANGES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stages.conftest import Harness

    from cluster_forge.ports.git import Repository

TIME = 1_700_000_000
STACK = "stacks/platform"


class CountingRepositories:
    """`ports.Repositories` that counts what it builds."""

    def __init__(self, real: BareRepositories) -> None:
        self.real, self.built = real, 0

    def files(self, repository: FileTree, known: FileTree = NO_FILES) -> FileTree:
        return self.real.files(repository, known)

    def bare(self, tree: FileTree, *, message: str, time: int, tag: str = "") -> Repository:
        self.built += 1
        return self.real.bare(tree, message=message, time=time, tag=tag)


class Casting:
    """A smelted stack on disk, and its casts."""

    def __init__(self, harness: Harness, root: Path) -> None:
        self.harness, self.folder = harness, root / "workspace"
        self.folder.mkdir()
        files: Any = WorkspaceFiles(self.folder)
        cache = FolderCache(root / "store", b"secret")
        harness.files = files
        harness.toolbox = replace(
            harness.toolbox, files=files, cache=cache, digests=KeptDigests(files, cache, harness.toolbox.workers)
        )
        self.repositories = CountingRepositories(BareRepositories(harness.toolbox.workers, NoCache()))
        files.write("input/notes/one.yaml", harness.config_map("one").encode())
        notes = harness.component("notes", manifests=("notes/one.yaml",))
        self.stack: Stack = harness.stack(notes, gitops=GitOps(engine=GitOpsEngine.NONE))
        harness.forge(self.stack)

    def cast(self, *, time: int = TIME, **options: Any) -> CastResult:
        """Cast with counters at zero."""
        self.repositories.built = 0
        self.harness.reporter.events.clear()
        inputs = self.harness.fingerprint(self.stack)
        request = CastRequest(stack=self.stack, inputs=inputs, time=time, **options)
        return cast(request, self.harness.toolbox, self.repositories, self.harness.reporter)

    @property
    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Everything in the stack's folder, with its mode; a link is one."""
        return {
            str(path.relative_to(self.folder)): (path.read_bytes(), path.lstat().st_mode)
            for path in sorted((self.folder / STACK).rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def casting(harness: Harness, tmp_path: Path) -> Casting:
    return Casting(harness, tmp_path)


def test_nothing_is_built_and_the_result_is_the_same(casting: Casting) -> None:
    first, events = casting.cast(), list(casting.harness.reporter.events)
    before, inode = casting.tree, (casting.folder / STACK).stat().st_ino
    second = casting.cast()
    assert casting.repositories.built == 0
    assert second == replace(first, changes=NO_CHANGES)
    assert casting.harness.reporter.events == events
    assert casting.tree == before
    assert (casting.folder / STACK).stat().st_ino == inode, "the folder was not replaced"


@pytest.mark.parametrize("path", ["stack.json", "image/index.json", "repo.git/HEAD", "bootstrap/files", ".written"])
def test_a_damaged_file_is_written_again(casting: Casting, path: str) -> None:
    casting.cast()
    before, file = casting.tree, casting.folder / STACK / path
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    casting.cast()
    assert casting.tree == before


@pytest.mark.parametrize("path", ["deploy.sh", "repo.git/config"])
def test_a_missing_file_and_another_mode_are_noticed(casting: Casting, path: str) -> None:
    casting.cast()
    before, file = casting.tree, casting.folder / STACK / path
    file.chmod(0o644 if path == "deploy.sh" else 0o755)
    casting.cast()
    assert casting.tree == before
    file.unlink()
    casting.cast()
    assert casting.tree == before
    assert casting.repositories.built == 1


@pytest.mark.parametrize("target", ["../elsewhere.txt", "/etc/hostname", "nowhere"])
def test_a_link_is_replaced_also_one_to_the_same_content(casting: Casting, target: str) -> None:
    casting.cast()
    before, link = casting.tree, casting.folder / STACK / "repo.git/config"
    (casting.folder / "stacks/elsewhere.txt").write_bytes(link.read_bytes())
    link.unlink()
    link.symlink_to(target if target.startswith("/") else f"../{target}")
    casting.cast()
    assert casting.tree == before


def test_another_time_is_another_cast(casting: Casting) -> None:
    first = casting.cast()
    second = casting.cast(time=TIME + 1)
    assert (casting.repositories.built, first.image != second.image) == (1, True)
    assert casting.cast().image == first.image
    assert casting.repositories.built == 1, "the folder holds the other cast"


def test_hand_edits_and_modes_in_working_are_cast(casting: Casting) -> None:
    casting.cast()
    (path,) = (casting.folder / "working/notes").iterdir()
    path.chmod(0o755)
    executable = casting.cast()
    assert casting.repositories.built == 1
    path.write_text(path.read_text().replace("a: b", "a: c"))
    edited = casting.cast()
    assert (casting.repositories.built, edited.commit != executable.commit) == (1, True)
    before = casting.tree
    assert casting.cast() == replace(edited, changes=NO_CHANGES)
    assert (casting.repositories.built, casting.tree) == (1, before), "with hand edits everything is built"


def test_without_a_cache_the_bytes_are_the_same(casting: Casting) -> None:
    casting.cast()
    before = casting.tree
    casting.cast()
    casting.harness.toolbox = replace(casting.harness.toolbox, cache=NoCache())
    casting.cast()
    assert casting.repositories.built == 1
    assert casting.tree == before
