"""Files of `working/` with edits, merged: nothing of an edit is lost unless that was decided, and nothing is invented."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.record import Record
from cluster_forge.stages.build import working_tree
from cluster_forge.stages.build.hand_edits import bases, edit_merge
from cluster_forge.stages.build.hand_edits.edit_merge import EditedFolder, MergeChoice, MergedEdits, always
from cluster_forge.stages.build.hand_edits.file_merge import Decide, FileMerge, Versions, undecided, whole

if TYPE_CHECKING:
    from tests.stages.conftest import MemoryCache

Files = Mapping[str, bytes]
paths = st.sampled_from(["a/1.yaml", "a/2.yaml", "b/1.yaml", "b/2.yaml"])
trees = st.dictionaries(paths, st.sampled_from([b"x", b"y", b"z"]), max_size=4)


def record(files: Files) -> Record:
    digests = {path: Digest.of(content) for path, content in files.items()}
    return Record(tool="", stack="", inputs=Digest.of(b""), revision="", parts=(), files=digests)


def whole_files(versions: Versions, decide: Decide) -> FileMerge:
    """Objects are as whole files here."""
    return whole(versions, decide, "both changed it")


def merged(base: Files, theirs: Files, mine: Files, decide: Decide = undecided, *, knows: bool = True) -> MergedEdits:
    former = record(base)
    folder = EditedFolder(
        record=former,
        edited=working_tree.edited_files(former, FileTree(mine).digests),
        contents=mine,
        executable=frozenset(),
        gone=frozenset(),
    )
    return edit_merge.merged(folder, FileTree(theirs), base if knows else {}, whole_files, decide)


@given(trees, trees)
def test_without_edits_it_is_what_is_made_now(base: Files, theirs: Files) -> None:
    assert dict(merged(base, theirs, base).tree.files) == dict(theirs)


@given(trees, trees)
def test_without_a_change_it_is_what_the_user_has(base: Files, mine: Files) -> None:
    for knows in (True, False):
        result = merged(base, base, mine, knows=knows)
        assert dict(result.tree.files) == dict(mine)
        assert set(result.edited) == set(working_tree.edited_files(record(base), FileTree(mine).digests))


@given(trees, trees)
def test_the_same_change_is_an_edit_no_longer(base: Files, both: Files) -> None:
    result = merged(base, both, both)
    assert dict(result.tree.files) == dict(both)
    assert result.edited == ()
    assert all(file.is_obsolete for file in result.files.values())


@given(trees, trees, trees, st.booleans())
def test_every_file_is_one_of_the_three(base: Files, theirs: Files, mine: Files, knows: bool) -> None:
    for decide in (undecided, always(MergeChoice.OURS), always(MergeChoice.THEIRS)):
        result = merged(base, theirs, mine, decide, knows=knows)
        for path in {*base, *theirs, *mine}:
            assert result.tree.files.get(path) in (base.get(path), theirs.get(path), mine.get(path))
        for path, file in result.files.items():
            is_kept = result.tree.files.get(path) == mine.get(path)
            assert is_kept or file.is_lost or file.is_obsolete
            assert decide is undecided or not file.conflicts


@given(trees, trees, trees)
def test_merging_again_changes_nothing(base: Files, theirs: Files, mine: Files) -> None:
    once = merged(base, theirs, mine, always(MergeChoice.OURS))
    again = merged(theirs, theirs, once.tree.files)
    assert again.tree == once.tree
    assert set(again.edited) == set(once.edited)


FILES: Final = MappingProxyType({"a/1.yaml": b"one", "a/2.yaml": b"two", "b/1.yaml": b"three"})


class TestBases:
    def test_are_found_again(self, memory_cache: MemoryCache) -> None:
        bases.keep(FILES, record(FILES), memory_cache)
        assert bases.find(record(FILES), [*FILES, "c/none.yaml"], memory_cache) == FILES
        assert len(memory_cache.entries) == 2

    def test_a_folder_without_changes_is_not_kept_twice(self, memory_cache: MemoryCache) -> None:
        bases.keep(FILES, record(FILES), memory_cache)
        changed = {**FILES, "b/1.yaml": b"four"}
        bases.keep(changed, record(changed), memory_cache)
        assert len(memory_cache.entries) == 3
        assert bases.find(record(changed), changed, memory_cache) == changed
        assert bases.find(record(FILES), FILES, memory_cache) == FILES, "the former ones, too"

    def test_what_was_lost_is_kept_again(self, memory_cache: MemoryCache) -> None:
        bases.keep(FILES, record(FILES), memory_cache)
        memory_cache.entries.popitem()
        bases.keep(FILES, record(FILES), memory_cache)
        assert bases.find(record(FILES), FILES, memory_cache) == FILES

    def test_what_is_lost_is_missing(self, memory_cache: MemoryCache) -> None:
        assert bases.find(record(FILES), FILES, memory_cache) == {}

    @pytest.mark.parametrize("made", [FILES, {**FILES, "a/2.yaml": b"other"}, {}])
    def test_only_the_same_content_is_made_again(self, made: Files) -> None:
        again = bases.made_again(record(FILES), made, FILES)
        assert again == {path: content for path, content in made.items() if FILES[path] == content}
