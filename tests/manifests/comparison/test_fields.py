"""Fields that differ: lists by their keys, others aligned; nothing missed, nothing invented."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.manifests.comparison import fields
from cluster_forge.manifests.comparison.fields import Change
from cluster_forge.manifests.custom_schema import CustomSchema
from cluster_forge.manifests.field_schema import UNKNOWN

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab\n", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
ENTRIES = st.lists(st.fixed_dictionaries({"name": st.sampled_from("xyz"), "value": VALUES}), max_size=4)
OBJECTS = st.dictionaries(st.sampled_from(("env", "args", "spec")), VALUES | ENTRIES, max_size=3)

SCHEMA = CustomSchema(
    {
        "properties": {
            "ports": {
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
                "items": {"properties": {"protocol": {"default": "TCP"}}},
            }
        }
    },
    UNKNOWN,
)


def told(before: Any, after: Any) -> list[tuple[str, str, Any, Any]]:
    return [(one.path, one.change, one.before, one.after) for one in fields.changes(before, after, SCHEMA)]


@given(OBJECTS, OBJECTS)
def test_there_is_a_change_exactly_where_the_objects_differ(before: dict[str, Any], after: dict[str, Any]) -> None:
    same = orjson.dumps(before, option=orjson.OPT_SORT_KEYS) == orjson.dumps(after, option=orjson.OPT_SORT_KEYS)
    changes = fields.changes(before, after)
    assert (changes == ()) == same
    assert all(change.path for change in changes)


@given(OBJECTS, OBJECTS)
def test_the_way_back_has_the_same_fields(before: dict[str, Any], after: dict[str, Any]) -> None:
    opposite = {Change.ADDED: Change.REMOVED, Change.REMOVED: Change.ADDED, Change.CHANGED: Change.CHANGED}
    forth, back = fields.changes(before, {**before, "env": after}), fields.changes({**before, "env": after}, before)
    assert sorted(change.change for change in forth) == sorted(opposite[change.change] for change in back)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            {"containers": [{"name": "web", "image": "a:1"}, {"name": "log", "image": "b:1"}]},
            {"containers": [{"name": "log", "image": "b:1"}, {"name": "web", "image": "a:2"}]},
            [
                ('containers[name="web"].image', "changed", "a:1", "a:2"),
                ("containers", "changed", ['[name="web"]', '[name="log"]'], ['[name="log"]', '[name="web"]']),
            ],
        ),
        (
            {"ports": [{"containerPort": 80, "protocol": "TCP"}]},
            {"ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]},
            [
                ('ports[containerPort=80,protocol="TCP"].protocol', "removed", "TCP", None),
                (
                    'ports[containerPort=80,protocol="UDP"]',
                    "added",
                    None,
                    {"containerPort": 80, "protocol": "UDP"},
                ),
            ],
        ),
        (
            {"ports": [{"name": "a", "port": 80}]},  # without the schema's key, but with a name
            {"ports": [{"name": "a", "port": 81}]},
            [('ports[name="a"].port', "changed", 80, 81)],
        ),
        ({"args": ["a", "c"]}, {"args": ["a", "b", "c"]}, [("args[1]", "added", None, "b")]),
        ({"args": ["a", "b"]}, {"args": ["b"]}, [("args[0]", "removed", "a", None)]),
        ({"data": {"app.conf": "1"}}, {"data": {"app.conf": "2"}}, [('data["app.conf"]', "changed", "1", "2")]),
        ({"a": 1}, {"a": True}, [("a", "changed", 1, True)]),
        ({"a": {"b": 1}}, {"a": [1]}, [("a", "changed", {"b": 1}, [1])]),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},  # twice: there is no key
            {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "3"}]},
            [("env[1].value", "changed", "2", "3")],
        ),
    ],
)
def test_examples(before: Any, after: Any, expected: list[tuple[str, str, Any, Any]]) -> None:
    assert told(before, after) == expected


def test_a_long_list_without_keys_goes_by_place() -> None:
    before = [str(number) for number in range(5_000)]
    assert told({"args": before}, {"args": [*before, "x"]}) == [("args[5000]", "added", None, "x")]


@pytest.mark.parametrize(("before", "after"), [(True, 1), (1, 1.0), (0, False)])
def test_values_that_are_equal_in_python_alone_differ_at_any_depth(before: object, after: object) -> None:
    old, new = ({"spec": {"entries": [{"name": "a", "value": [value]}]}} for value in (before, after))
    (change,) = fields.changes(old, new)
    assert change.path == 'spec.entries[name="a"].value[0]'
