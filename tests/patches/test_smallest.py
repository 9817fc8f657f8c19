from __future__ import annotations

import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.patches.trees import DEPLOYMENT, KEYS, SHOP, deployments, edited, shop

from cluster_forge.foundation.errors import PatchError
from cluster_forge.manifests import emitter
from cluster_forge.patches.sameness import same
from cluster_forge.patches.smallest import JsonPatch, StrategicPatch, partial_object, smallest


@given(deployments(), deployments())
def test_a_patch_leads_from_any_state_to_any_other(before: Any, after: Any) -> None:
    for schema in (DEPLOYMENT, None):
        patch = smallest(before, after, schema)
        assert same(patch.apply(before, schema), after), patch


@given(deployments(), st.integers(), st.integers(1, 4))
def test_an_edited_object_comes_out_byte_for_byte(before: Any, seed: int, edits: int) -> None:
    after = edited(before, random.Random(seed), edits)
    patch = smallest(before, after, DEPLOYMENT)
    assert emitter.document(ordered(patch.apply(before, DEPLOYMENT))) == emitter.document(ordered(after))


@given(deployments(), deployments())
def test_a_partial_object_leads_there_or_says_that_it_cannot(before: Any, after: Any) -> None:
    for schema in (DEPLOYMENT, None):
        overlay = partial_object(before, after, schema)
        assert overlay is None or same(overlay.apply(before, schema), after)


def test_a_partial_object_repeats_a_list_for_one_change() -> None:
    short, long = ({"name": "web", "args": [*args, "--last"]} for args in (["--one"], ["--one", "--two"]))
    before, after = deployment(**containers(short)), deployment(**containers(long))
    assert isinstance(smallest(before, after, DEPLOYMENT), JsonPatch)
    overlay = partial_object(before, after, DEPLOYMENT)
    assert overlay
    assert overlay.body == deployment(**containers(long))


def test_a_field_set_to_null_has_no_partial_object() -> None:
    assert partial_object(deployment(replicas=1), deployment(replicas=None), DEPLOYMENT) is None


def ordered(value: Any) -> Any:
    """With sorted keys, as objects are written."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    return [ordered(entry) for entry in value] if isinstance(value, list) else value


def deployment(**spec: Any) -> Any:
    metadata = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def containers(*entries: Any) -> Any:
    return {"template": {"spec": {"containers": list(entries)}}}


def strategic(before: Any, after: Any) -> Any:
    """What the patch says of the spec."""
    patch = smallest(before, after, DEPLOYMENT)
    assert isinstance(patch, StrategicPatch)
    assert {**patch.body, "spec": {}} == deployment()
    return patch.body["spec"]


def operations(before: Any, after: Any, schema: Any = None) -> list[Any]:
    patch = smallest(before, after, schema)
    assert isinstance(patch, JsonPatch)
    return [operation.as_json for operation in patch.operations]


WEB = {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
PROXY = {"name": "proxy", "image": "proxy:1"}


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({"replicas": 1, "paused": True}, {"replicas": 2}, {"replicas": 2, "paused": None}),
        (
            containers(WEB, PROXY),
            containers({**WEB, "env": [WEB["env"][0], {"name": "B", "value": "3"}]}, PROXY),
            containers({"name": "web", "env": [{"name": "B", "value": "3"}]}),
        ),
        (containers(WEB, PROXY), containers(WEB), containers({"name": "proxy", "$patch": "delete"})),
        (containers(WEB), containers(PROXY, WEB), containers(PROXY)),
        (
            containers(WEB),
            containers(WEB, PROXY),
            {
                "template": {
                    "spec": {
                        "containers": [PROXY],
                        "$setElementOrder/containers": [{"name": "web"}, {"name": "proxy"}],
                    }
                }
            },
        ),
        (
            containers({"name": "web", "args": ["a", "b"]}),
            containers({"name": "web", "args": ["c"]}),
            containers({"name": "web", "args": ["c"]}),
        ),
    ],
)
def test_a_strategic_merge_patch_says_what_changes_and_no_more(before: Any, after: Any, patch: Any) -> None:
    assert strategic(deployment(**before), deployment(**after)) == patch


def test_the_order_of_a_long_list_names_only_the_neighbor() -> None:
    env = [{"name": name, "value": "1"} for name in "ABCDEF"]
    before, after = (
        deployment(**containers({"name": "web", "env": entries})) for entries in (env, [*env, {"name": "NEW"}])
    )
    (web,) = strategic(before, after)["template"]["spec"]["containers"]
    assert web["$setElementOrder/env"] == [{"name": "F"}, {"name": "NEW"}]


def test_sets_say_what_was_added_and_deleted() -> None:
    before, after = deployment(), deployment()
    before["metadata"] |= {"finalizers": ["a", "b"]}
    after["metadata"] |= {"finalizers": ["c", "b"]}
    patch = smallest(before, after, DEPLOYMENT)
    assert isinstance(patch, StrategicPatch)
    changes = {"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]}
    assert patch.body["metadata"] == {"name": "web", "namespace": "shop", **changes}


def test_what_a_strategic_merge_patch_cannot_say_is_a_json_patch_with_tests() -> None:
    before, after = deployment(replicas=1), deployment(replicas=None)
    assert operations(before, after, DEPLOYMENT) == [
        {"op": "test", "path": "/spec/replicas", "value": 1},
        {"op": "replace", "path": "/spec/replicas", "value": None},
    ]


def test_a_list_that_only_partly_changes_is_not_repeated() -> None:
    before, after = (deployment(**containers({"name": "web", "args": args})) for args in (["a", "b"], ["a", "b", "c"]))
    assert operations(before, after, DEPLOYMENT) == [
        {"op": "test", "path": "/spec/template/spec/containers/0/name", "value": "web"},
        {"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "c"},
    ]
    rules = [{"apiGroups": [group], "resources": ["*"], "verbs": ["get"]} for group in ("a", "b", "c")]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "web"}}
    schema = KEYS.of_object(role)
    assert operations({**role, "rules": rules[:2]}, {**role, "rules": rules}, schema) == [
        {"op": "add", "path": "/rules/-", "value": rules[2]}
    ]
    more = {**rules[1], "verbs": ["get", "list"]}
    assert operations({**role, "rules": rules}, {**role, "rules": [rules[0], more, rules[2]]}, schema) == [
        {"op": "test", "path": "/rules/1", "value": rules[1]},
        {"op": "add", "path": "/rules/1/verbs/-", "value": "list"},
    ]


def test_a_text_of_which_lines_stay_is_tested_before_it_is_replaced() -> None:
    def config(text: str) -> Any:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"app.conf": text}}

    schema = KEYS.schema("", "v1", "ConfigMap")
    assert operations(config("a=1\nb=1\n"), config("a=1\nb=2\n"), schema) == [
        {"op": "test", "path": "/data/app.conf", "value": "a=1\nb=1\n"},
        {"op": "replace", "path": "/data/app.conf", "value": "a=1\nb=2\n"},
    ]
    for before, after in (("a=1\n\nb=1\n", "c=1\n\nd=2\n"), ("a=1", "a=1\nb=2\n")):
        assert isinstance(smallest(config(before), config(after), schema), StrategicPatch)


def test_a_list_of_which_little_is_left_is_replaced_as_a_whole() -> None:
    before, after = {"spec": {"args": list("abcdefgh")}}, {"spec": {"args": list("xb")}}
    assert operations(before, after) == [
        {"op": "test", "path": "/spec/args", "value": list("abcdefgh")},
        {"op": "replace", "path": "/spec/args", "value": list("xb")},
    ]


def test_without_a_schema_an_entry_is_tested_by_its_name() -> None:
    before = {"spec": {"items": [{"name": "a", "size": 1}, {"name": "b", "size": 1}, "x"]}}
    after = {"spec": {"items": [{"name": "b", "size": 2}, "x", "y", "z"]}}
    assert operations(before, after) == [
        {"op": "add", "path": "/spec/items/-", "value": "y"},
        {"op": "add", "path": "/spec/items/-", "value": "z"},
        {"op": "test", "path": "/spec/items/1/name", "value": "b"},
        {"op": "test", "path": "/spec/items/1/size", "value": 1},
        {"op": "replace", "path": "/spec/items/1/size", "value": 2},
        {"op": "test", "path": "/spec/items/0/name", "value": "a"},
        {"op": "remove", "path": "/spec/items/0"},
    ]


def test_a_custom_resource_has_a_strategic_merge_patch_if_its_definition_names_keys() -> None:
    apple, pear = {"sku": "apple", "price": 1}, {"zone": "eu", "sku": "apple", "price": 1}
    before, after = shop(apple, pear, tags=["a"]), shop(apple, {**pear, "price": 2}, tags=["b"])
    patch = smallest(before, after, SHOP)
    assert isinstance(patch, StrategicPatch)
    assert patch.body["spec"] == {"items": [{"zone": "eu", "sku": "apple", "price": 2}], "tags": ["b"]}
    assert patch.apply(before, SHOP) == after


def test_large_lists_are_compared_fast() -> None:
    env = [{"name": f"V{number}", "value": "x"} for number in range(5_000)]
    changed = [*({**entry, "value": "y"} for entry in reversed(env)), {"name": "NEW"}]
    before, after = (deployment(**containers({"name": "web", "env": entries})) for entries in (env, changed))
    begin = time.process_time()
    for schema in (DEPLOYMENT, None):
        patch = smallest(before, after, schema)
        assert same(patch.apply(before, schema), after)
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"data": {"a": "1"}}, {"data": {"a": "1", "$patch": "x"}}),  # a directive in a patch
        ({"data": {"a": "1"}}, {"data": {"a": "1", "$patch": "delete"}}),
        ({"data": {"a": "1"}}, {"data": {"$setElementOrder/a": ["1"]}}),
        ({"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}),  # another object
        ({"apiVersion": "v1"}, {"apiVersion": "v2"}),
        ({"metadata": {"finalizers": ["a", "a"]}}, {"metadata": {"finalizers": ["a"]}}),
        ({"metadata": {"finalizers": ["a"]}}, {"metadata": {"finalizers": ["b", {"c": 1}]}}),
        (
            {"metadata": {"ownerReferences": [{"uid": "1"}, {"uid": "1"}]}},
            {"metadata": {"ownerReferences": [{"uid": "1"}]}},
        ),
    ],
)
def test_what_only_a_json_patch_can_say(before: Any, after: Any) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    old, new = {**body, **before}, {**body, **after}
    patch = smallest(old, new, KEYS.schema("", "v1", "ConfigMap"))
    assert isinstance(patch, JsonPatch)
    assert same(patch.apply(old, None), new)


def test_nothing_changes() -> None:
    assert smallest(deployment(), deployment(), DEPLOYMENT) == JsonPatch(operations=())


def test_a_patch_of_an_object_that_is_nested_too_deep_is_an_error() -> None:
    def deep(leaf: int) -> Any:
        value: Any = leaf
        for _ in range(5000):
            value = {"x": value}
        return value

    for schema in (None, DEPLOYMENT):
        with pytest.raises(PatchError, match="too deep"):
            smallest(deployment(x=deep(1)), deployment(x=deep(2)), schema)
