"""What is another between two smelts."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.record import Record
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part, PartObject
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
                    path=f"{name}/{each}.yaml",
                    id=ObjectId(group="", kind="ConfigMap", namespace=name, name=each),
                    digest=Digest.of(content.encode()),
                )
                for each, content in objects.items()
            ),
        )
        for name, objects in stack.items()
    )
    return Record(tool="1", stack="s", inputs=Digest.of(b""), revision="v-1", parts=parts, files={})


def paths(found: tuple[smelt_diff.ComponentObject, ...]) -> list[str]:
    assert all(each.path.startswith(f"{name}/") for name, each in found)
    return [each.path for _, each in found]


def test_the_first_has_nothing_to_be_compared_with() -> None:
    found = smelt_diff.between(None, record({"a": {"x": "1"}}))
    assert found == Changes(is_first=True)
    assert not found


def test_added_changed_and_removed() -> None:
    before = record({"a": {"x": "1", "y": "1", "z": "1"}, "b": {"x": "1"}, "c": {"x": "1"}})
    now = record({"a": {"x": "1", "y": "2", "w": "1"}, "d": {"x": "1"}, "c": {"x": "1"}})
    found = smelt_diff.between(before, now)
    assert found.added_components == ("d",)
    assert found.changed_components == ("a",)
    assert found.removed_components == ("b",)
    assert paths(found.added) == ["a/w.yaml", "d/x.yaml"]
    assert paths(found.changed) == ["a/y.yaml"]
    assert paths(found.removed) == ["a/z.yaml", "b/x.yaml"]
    assert found
    assert not found.is_first
    assert found.changed[0][1].digest == Digest.of(b"2"), "what is there now"


def test_a_component_without_objects_counts() -> None:
    found = smelt_diff.between(record({}), record({"a": {}}))
    assert (found.added_components, found.added) == (("a",), ())
    assert found
    assert smelt_diff.between(record({"a": {}}), record({}))


names = st.sampled_from("abc")
stacks = st.dictionaries(names, st.dictionaries(names, st.sampled_from("12"), max_size=3), max_size=3)


@given(stacks, stacks)
def test_what_is_told_leads_from_one_to_the_other(one: Stack, other: Stack) -> None:
    before, now = record(one), record(other)
    found = smelt_diff.between(before, now)
    files = {each.path: each.digest for part in before.parts for each in part.objects}
    for path in paths(found.removed):
        del files[path]
    for _, each in (*found.added, *found.changed):
        files[each.path] = each.digest
    assert files == {each.path: each.digest for part in now.parts for each in part.objects}
    assert bool(found) == (one != other)


@given(stacks, stacks)
def test_the_way_back_is_the_other_way_round(one: Stack, other: Stack) -> None:
    there, back = smelt_diff.between(record(one), record(other)), smelt_diff.between(record(other), record(one))
    assert paths(there.added) == paths(back.removed)
    assert paths(there.changed) == paths(back.changed)
    assert there.added_components == back.removed_components
    assert there.changed_components == back.changed_components
    assert paths(there.added) == sorted(paths(there.added))
