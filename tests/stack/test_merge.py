from __future__ import annotations

import copy
from types import MappingProxyType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.stack import merge
from cluster_forge.yaml import positioned_reader
from cluster_forge.yaml.document_writer import document
from cluster_forge.yaml.positioned import Positioned

leaf = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from(["x", "y z", ""]))
tree = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
values = st.dictionaries(st.sampled_from("abcd"), tree, max_size=4)


def positioned(value: dict[str, Any], file: str) -> Positioned:
    return positioned_reader.read(document(value).encode(), file).root


def test_values_are_merged_as_helm_does() -> None:
    base = {"a": {"x": 1, "y": 2}, "list": [1, 2], "gone": 1, "back": None, "kept": 1}
    top = {"a": {"y": 3}, "list": [3], "gone": None, "back": {"z": 1}}
    assert merge.values(base, top) == {"a": {"x": 1, "y": 3}, "list": [3], "gone": None, "back": {"z": 1}, "kept": 1}
    assert merge.values() == {}


@given(values, values, values)
def test_layers_are_merged_in_order_and_not_changed(
    first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]
) -> None:
    before = copy.deepcopy((first, second, third))
    assert merge.values(first, second, third) == merge.values(merge.values(first, second), third)
    assert (first, second, third) == before


@given(values)
def test_merging_with_itself_or_an_empty_mapping_changes_nothing(layer: dict[str, Any]) -> None:
    assert merge.values(layer, layer) == merge.values(layer, {}) == merge.values({}, layer) == layer


@given(values, values)
def test_positioned_values_are_merged_alike_and_keep_their_positions(base: dict[str, Any], top: dict[str, Any]) -> None:
    merged = merge.positioned(positioned(base, "base"), positioned(top, "top"))
    assert merged.plain == merge.values(base, top)
    for key in merged.mapping:
        assert merged.at((key,)).file == ("top" if key in top else "base")


def test_the_result_shares_nothing_with_its_layers() -> None:
    layer = MappingProxyType({"a": MappingProxyType({"b": (1, 2)})})
    merged = merge.values(layer)
    assert merged == {"a": {"b": [1, 2]}}
    merged["a"]["b"].append(3)
    assert layer["a"]["b"] == (1, 2)


def test_nulls_are_removed_from_a_description_but_not_from_values() -> None:
    text = b"a: null\nb: {c: null}\nd: [{e: null, values: {f: null}, sizes: {small: {g: null}, large: null}}, null]\nsizes: 1\n"
    kept = merge.without_nulls(positioned_reader.read(text, "f").root).plain
    assert kept == {"b": {}, "d": [{"values": {"f": None}, "sizes": {"small": {"g": None}}}, None], "sizes": 1}


def test_nulls_in_an_object_are_not_amounts() -> None:
    text = b"objects: [{resources: {limits: {cpu: null}}}]\nresources: {web: {limits: {cpu: null}, other: {a: null}}, x: null}"
    assert merge.without_nulls(positioned_reader.read(text, "f").root).plain == {
        "objects": [{"resources": {"limits": {}}}],
        "resources": {"web": {"limits": {"cpu": None}, "other": {}}},
    }


def test_nulls_have_the_place_of_the_last_layer_that_has_them() -> None:
    base = positioned({"a": {"w": None, "x": None}, "b": 1, "l": [None]}, "base.yaml")
    top = positioned_reader.read(b"a:\n  z: 1\n  x: null\nb:\n", "top.yaml").root
    assert {place.keys: place.where for place in merge.null_places([base, top])} == {
        ("a", "w"): "base.yaml:2",
        ("a", "x"): "top.yaml:3",
        ("b",): "top.yaml:4",
    }
    assert merge.null_places([]) == ()
