"""The differences between two smelts."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.record import Record
from cluster_forge.stages.build import smelt_diff
from cluster_forge.stages.build.smelt_diff import Changes

Stack = Mapping[str, Mapping[str, str]]
"""Component → object → content."""


def record(stack: Stack) -> Record:
    parts = tuple(
        Part(
            name=ComponentName(name),
            namespace=name,
            wave=0,
            objects=tuple(
                PartObject(
                    path=f"{name}/{key}.yaml",
                    id=ObjectId(group="", kind="ConfigMap", namespace=name, name=key),
                    digest=Digest.of(content.encode()),
                )
                for key, content in objects.items()
            ),
        )
        for name, objects in stack.items()
    )
    return Record(tool="1", stack="s", inputs=Digest.of(b""), revision="v-1", parts=parts, files={})


def paths(objects: tuple[smelt_diff.ComponentObject, ...]) -> list[str]:
    assert all(part_object.path.startswith(f"{name}/") for name, part_object in objects)
    return [part_object.path for _, part_object in objects]


def test_the_first_smelt_has_no_changes() -> None:
    changes = smelt_diff.between(None, record({"a": {"x": "1"}}))
    assert changes == Changes(is_first=True)
    assert not changes


def test_added_changed_and_removed_objects_are_listed() -> None:
    before = record({"a": {"x": "1", "y": "1", "z": "1"}, "b": {"x": "1"}, "c": {"x": "1"}})
    now = record({"a": {"x": "1", "y": "2", "w": "1"}, "d": {"x": "1"}, "c": {"x": "1"}})
    changes = smelt_diff.between(before, now)
    assert changes.added_components == ("d",)
    assert changes.changed_components == ("a",)
    assert changes.removed_components == ("b",)
    assert paths(changes.added) == ["a/w.yaml", "d/x.yaml"]
    assert paths(changes.changed) == ["a/y.yaml"]
    assert paths(changes.removed) == ["a/z.yaml", "b/x.yaml"]
    assert changes
    assert not changes.is_first
    assert changes.changed[0][1].digest == Digest.of(b"2"), "what is there now"


def test_a_component_without_objects_is_a_change() -> None:
    changes = smelt_diff.between(record({}), record({"a": {}}))
    assert (changes.added_components, changes.added) == (("a",), ())
    assert changes
    assert smelt_diff.between(record({"a": {}}), record({}))


names = st.sampled_from("abc")
stacks = st.dictionaries(names, st.dictionaries(names, st.sampled_from("12"), max_size=3), max_size=3)


@given(stacks, stacks)
def test_the_changes_lead_from_one_stack_to_the_other(one: Stack, other: Stack) -> None:
    before, now = record(one), record(other)
    changes = smelt_diff.between(before, now)
    files = {part_object.path: part_object.digest for part in before.parts for part_object in part.objects}
    for path in paths(changes.removed):
        del files[path]
    for _, part_object in (*changes.added, *changes.changed):
        files[part_object.path] = part_object.digest
    assert files == {part_object.path: part_object.digest for part in now.parts for part_object in part.objects}
    assert bool(changes) == (one != other)


@given(stacks, stacks)
def test_the_changes_back_are_the_reverse(one: Stack, other: Stack) -> None:
    there, back = smelt_diff.between(record(one), record(other)), smelt_diff.between(record(other), record(one))
    assert paths(there.added) == paths(back.removed)
    assert paths(there.changed) == paths(back.changed)
    assert there.added_components == back.removed_components
    assert there.changed_components == back.changed_components
    assert paths(there.added) == sorted(paths(there.added))
