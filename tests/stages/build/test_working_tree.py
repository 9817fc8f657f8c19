"""`working/` as it is now: which files count as edited, and when overwriting is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError, StaleError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.record import RECORD, Record
from cluster_forge.stack.model import GitOps, GitOpsEngine, Stack
from cluster_forge.stages.build import working_tree
from cluster_forge.stages.build.edits import EditKind
from cluster_forge.stages.build.way_out import WayOut

if TYPE_CHECKING:
    from tests.stages.conftest import Harness


def smelted(harness: Harness, names: tuple[str, ...] = ("one", "two")) -> Record:
    documents = [harness.config_map(name) for name in names]
    component = harness.component("notes", manifests=(harness.input("notes.yaml", *documents),))
    stack: Stack = harness.stack(component, gitops=GitOps(engine=GitOpsEngine.NONE))
    return harness.forge(stack).record


def way_out() -> WayOut:
    return WayOut(verb="smelt", folder="platform")


def path(name: str) -> str:
    return f"notes/configmap_notes_{name}.yaml"


class TestEdits:
    def test_an_untouched_tree_has_no_edits(self, harness: Harness) -> None:
        record = smelted(harness)
        working = harness.edited()
        assert working is not None
        assert working.edited == ()
        assert working.record == record
        working_tree.refuse_loss(working_tree.state(harness.toolbox), way_out())

    def test_changed_added_and_deleted_files_are_listed(self, harness: Harness) -> None:
        record = smelted(harness)
        tree = FileTree({path("one"): b"changed", "notes/new.yaml": b"new"})
        assert [*map(str, working_tree.edited_files(record, tree.digests))] == [
            path("one"),
            "+ notes/new.yaml",
            "- namespaces/namespace_notes.yaml",
            f"- {path('two')}",
        ]

    def test_lost_edits_have_the_contents_of_the_folder_only(self, harness: Harness) -> None:
        """A record that came with a workspace may name any path."""
        record = smelted(harness)
        foreign = dict.fromkeys(("../../etc/passwd", "../input/notes.yaml", ".smelt.json"), Digest.of(b""))
        harness.files.files[RECORD] = replace(record, files={**record.files, **foreign}).to_json()
        harness.files.files[f"working/{path('one')}"] = b"changed"
        working = working_tree.state(harness.toolbox)
        assert working is not None
        lost = working_tree.lost_edits(working, FileTree({}), harness.files)
        assert [(edit.path, edit.kind, edit.content) for edit in lost] == [
            (f"working/{path('one')}", EditKind.EDITED, b"changed"),
        ]

    def test_the_record_gets_the_present_files(self, harness: Harness) -> None:
        smelted(harness)
        files = harness.files.files
        files[f"working/{path('one')}"] = harness.config_map("one", "c: d", namespace="notes").encode()
        del files[f"working/{path('two')}"]
        working = harness.edited()
        assert working is not None
        assert [*map(str, working.edited)] == [path("one"), f"- {path('two')}"]
        (entry,) = next(part for part in working.record.parts if part.name == "notes").objects
        assert entry.digest == working.record.files[path("one")]
        assert working_tree.edited_files(working.record, working.tree.digests) == []

    def test_a_renamed_object_keeps_its_file(self, harness: Harness) -> None:
        smelted(harness)
        harness.files.files[f"working/{path('one')}"] = harness.config_map("three", namespace="notes").encode()
        working = harness.edited()
        assert working is not None
        objects = next(part for part in working.record.parts if part.name == "notes").objects
        assert {part_object.path: part_object.id.name for part_object in objects} == {
            path("one"): "three",
            path("two"): "two",
        }


class TestRefusal:
    def test_without_a_folder_nothing_is_refused(self, harness: Harness) -> None:
        working_tree.refuse_loss(working_tree.state(harness.toolbox), way_out())
        assert harness.edited() is None

    def test_files_that_smelt_did_not_write_are_refused(self, harness: Harness) -> None:
        harness.files.files["working/notes.txt"] = b"mine"
        with pytest.raises(EditedError, match=r"working/: has files that smelt did not write: notes\.txt"):
            working_tree.refuse_loss(working_tree.state(harness.toolbox), way_out())
        assert harness.edited() is None

    def test_the_first_five_edits_are_named(self, harness: Harness) -> None:
        names = tuple(f"n{number}" for number in range(7))
        smelted(harness, names)
        for name in names:
            harness.files.files[f"working/{path(name)}"] += b"# edited\n"
        with pytest.raises(EditedError, match=r"7 files were edited by hand: .*_n4\.yaml and 2 more") as raised:
            working_tree.refuse_loss(
                working_tree.state(harness.toolbox), replace(way_out(), folder="platform.production")
            )
        assert raised.value.where == "working/"
        assert "--discard-edits" in (raised.value.fix or "")

    def test_edits_of_a_renamed_stack_have_no_line_to_type(self, harness: Harness) -> None:
        smelted(harness)
        harness.files.files[f"working/{path('one')}"] += b"# edited\n"
        renamed = replace(way_out(), folder="other.production")
        with pytest.raises(EditedError) as raised:
            working_tree.refuse_loss(working_tree.state(harness.toolbox), renamed)
        assert "with the name, the selection and the --environment that it was" in (raised.value.fix or "")

    def test_a_damaged_record_is_refused(self, harness: Harness) -> None:
        smelted(harness)
        harness.files.files[RECORD] = b"{}"
        with pytest.raises(StaleError):
            working_tree.refuse_loss(working_tree.state(harness.toolbox), way_out())
