from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.examples_tried import tried
from tests.patches.trees import DEPLOYMENT, KEYS, SHOP, deployments, edited, shop
from tests.patches.trees import containers as containers_of_pods

from cluster_forge.foundation.errors import PatchError
from cluster_forge.manifests import list_keys
from cluster_forge.patches.sameness import ABSENT, same
from cluster_forge.patches.three_way import Conflict, Merge, Side, merge

POD = KEYS.schema("", "v1", "Pod")


def take_theirs(_: Conflict) -> Side:
    return Side.THEIRS


def pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}


def of_images(**images: str) -> list[dict[str, Any]]:
    return [{"name": name, "image": image} for name, image in images.items()]


def scalars_of(value: Any) -> Iterator[str]:
    """Every scalar in a value, of a text its lines, and every key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"key {key}"
            yield from scalars_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scalars_of(inner)
    elif isinstance(value, str):
        yield from value.split("\n")
    else:
        yield json.dumps(value)


def unordered(value: Any) -> Any:
    """With the entries of lists of mappings in one order."""
    if isinstance(value, dict):
        return {key: unordered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        entries = [unordered(entry) for entry in value]
        return sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))
    return value


def meant(value: Any) -> Any:
    """As Kubernetes takes it: `null` is nothing, numbers have one type."""
    if isinstance(value, dict):
        return {key: meant(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [meant(entry) for entry in value]
    return float(value) if type(value) is int else value


@given(deployments(), deployments())
def test_a_side_that_changed_nothing_gets_the_other_one(base: Any, other: Any) -> None:
    assert merge(base, other, base, DEPLOYMENT) == Merge(value=other)
    assert merge(base, base, other, DEPLOYMENT) == Merge(value=other)


@given(deployments(), deployments())
def test_the_same_change_of_both_does_not_conflict(base: Any, other: Any) -> None:
    merged = merge(base, other, other, DEPLOYMENT)
    assert same(merged.value, other)
    assert not merged.conflicts
    assert bool(merged.obsolete) == (not same(base, other))


@tried(40)
@given(deployments(), deployments(), deployments())
def test_each_side_may_be_taken_in_every_conflict(base: Any, theirs: Any, mine: Any) -> None:
    """The two sides decide for each other's mirror image; a side that is taken has all its own changes."""
    ours, others = merge(base, theirs, mine, DEPLOYMENT), merge(base, mine, theirs, DEPLOYMENT, take_theirs)
    assert unordered(meant(ours.value)) == unordered(meant(others.value))
    assert {conflict.path for conflict in ours.conflicts} == {conflict.path for conflict in others.conflicts}


@tried(40)
@given(deployments(), deployments(), deployments())
def test_a_merge_is_idempotent(base: Any, theirs: Any, mine: Any) -> None:
    merged = merge(base, theirs, mine, DEPLOYMENT)
    assert same(merge(theirs, theirs, merged.value, DEPLOYMENT).value, merged.value)
    assume(not merged.conflicts)
    again = merge(base, theirs, merged.value, DEPLOYMENT)
    assert same(again.value, merged.value)
    assert not again.conflicts


@given(deployments(), st.integers(), st.integers())
def test_disjoint_edits_commute(base: Any, one: int, other: int) -> None:
    mine, theirs = edited(base, random.Random(one), 1), edited(base, random.Random(other), 1)
    forward, back = merge(base, theirs, mine, DEPLOYMENT), merge(base, mine, theirs, DEPLOYMENT)
    assert bool(forward.conflicts) == bool(back.conflicts)
    assume(not forward.conflicts)
    assert unordered(forward.value) == unordered(back.value)


@given(deployments(), deployments())
def test_edits_of_different_fields_never_conflict(base: Any, other: Any) -> None:
    theirs, mine = {**base, "metadata": other["metadata"]}, {**base, "spec": other["spec"]}
    for merged in (merge(base, theirs, mine, DEPLOYMENT), merge(base, mine, theirs, DEPLOYMENT)):
        assert merged == Merge(value=other)


@given(containers_of_pods, containers_of_pods, st.data())
def test_edits_of_different_entries_never_conflict(base: Any, other: Any, data: st.DataObject) -> None:
    """Each container is left to one side, which may change, remove or add it."""
    names = {entry["name"] for entry in (*base, *other)}
    of_mine = data.draw(st.sets(st.sampled_from(sorted(names)))) if names else set()

    def changed(*, is_own: bool) -> Any:
        kept = [entry for entry in base if (entry["name"] in of_mine) != is_own]
        return pod(containers=kept + [entry for entry in other if (entry["name"] in of_mine) == is_own])

    for merged in (
        merge(pod(containers=base), changed(is_own=False), changed(is_own=True), POD),
        merge(pod(containers=base), changed(is_own=True), changed(is_own=False), POD),
    ):
        assert unordered(merged.value) == unordered(pod(containers=other))
        assert [conflict for conflict in merged.conflicts if conflict.path != "spec.containers"] == []


@tried(40)
@given(deployments(), deployments(), deployments())
def test_a_merge_invents_nothing(base: Any, theirs: Any, mine: Any) -> None:
    for prefer in ({}, {"prefer": take_theirs}):
        merged = merge(base, theirs, mine, DEPLOYMENT, **prefer)
        known = {*scalars_of(base), *scalars_of(theirs), *scalars_of(mine)}
        assert set(scalars_of(merged.value)) <= known


@tried(40)
@given(deployments(), deployments(), deployments())
def test_a_conflict_is_a_true_one(base: Any, theirs: Any, mine: Any) -> None:
    for conflict in merge(base, theirs, mine, DEPLOYMENT).conflicts:
        values = conflict.base, conflict.theirs, conflict.mine
        assert len({json.dumps(value, default=repr, sort_keys=True) for value in values}) == 3


@tried(40)
@given(deployments(), deployments(), deployments())
def test_a_list_with_keys_has_each_of_them_once(base: Any, theirs: Any, mine: Any) -> None:
    marks = POD.field("spec").field("containers").marks if POD else pytest.fail("no Pods")
    before = [body["spec"].get("template", {}).get("spec", {}).get("containers", []) for body in (base, theirs, mine)]
    assume(all(list_keys.by_key(entries, marks) is not None for entries in before))
    merged = merge(base, theirs, mine, DEPLOYMENT).value
    after = merged["spec"].get("template", {}).get("spec", {}).get("containers", [])
    assert list_keys.by_key(after, marks) is not None


def test_fields_of_one_entry_are_changed_by_both() -> None:
    base = pod(containers=of_images(web="web:1", proxy="proxy:1"))
    theirs = pod(containers=of_images(web="web:2", proxy="proxy:2"))
    mine = pod(containers=[{"name": "web", "image": "web:1", "args": ["-v"]}, {"name": "proxy", "image": "mine:1"}])
    merged = merge(base, theirs, mine, POD)
    assert merged.value["spec"]["containers"] == [
        {"name": "web", "image": "web:2", "args": ["-v"]},
        {"name": "proxy", "image": "mine:1"},
    ]
    (conflict,) = merged.conflicts
    assert conflict.path == 'spec.containers[name="proxy"].image'
    assert (conflict.base, conflict.theirs, conflict.mine) == ("proxy:1", "proxy:2", "mine:1")


def test_both_add_entries_and_theirs_come_first() -> None:
    base = pod(containers=of_images(web="1"))
    theirs, mine = pod(containers=of_images(init="1", web="1", up="1")), pod(containers=of_images(web="1", own="1"))
    assert [entry["name"] for entry in merge(base, theirs, mine, POD).value["spec"]["containers"]] == [
        "init",
        "web",
        "up",
        "own",
    ]


def test_the_side_that_moves_entries_decides_their_order() -> None:
    base, moved = pod(containers=of_images(a="1", b="1", c="1")), pod(containers=of_images(c="1", a="1", b="1"))
    changed = pod(containers=of_images(a="1", b="2", c="1", d="1"))
    for merged in (merge(base, moved, changed, POD), merge(base, changed, moved, POD)):
        assert [entry["name"] for entry in merged.value["spec"]["containers"]][:3] == ["c", "a", "b"]
        assert not merged.conflicts
    other = pod(containers=of_images(b="1", a="1", c="1"))
    (conflict,) = merge(base, moved, other, POD).conflicts
    assert conflict.path == "spec.containers"


def test_ports_differ_by_their_protocol_which_has_a_default() -> None:
    def ports(*entries: dict[str, Any]) -> dict[str, Any]:
        return pod(containers=[{"name": "dns", "ports": list(entries)}])

    base = ports({"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"})
    theirs = ports({"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP", "name": "udp"})
    mine = ports({"containerPort": 53, "name": "tcp"}, {"containerPort": 53, "protocol": "UDP"})
    merged = merge(base, theirs, mine, POD)
    assert not merged.conflicts
    assert merged.value["spec"]["containers"][0]["ports"] == [
        {"containerPort": 53, "protocol": "TCP", "name": "tcp"},
        {"containerPort": 53, "protocol": "UDP", "name": "udp"},
    ]


def test_a_list_whose_entries_have_no_proper_keys_is_one_value() -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    base, theirs = pod(containers=[{"name": "web", "env": twice}]), pod(containers=[{"name": "web", "env": twice[1:]}])
    mine = pod(containers=[{"name": "web", "env": [*twice, {"name": "B"}]}])
    merged = merge(base, theirs, mine, POD)
    assert [conflict.path for conflict in merged.conflicts] == ['spec.containers[name="web"].env']
    for wrong in ([{"value": "1"}], ["A"], [None], [{"name": {"a": 1}}]):
        mine = pod(containers=[{"name": "web", "env": wrong}])
        assert merge(base, theirs, mine, POD).value == mine
        assert merge(base, mine, base, POD).value == mine


def test_sets_take_the_changes_of_both() -> None:
    def finalizers(*names: str) -> dict[str, Any]:
        return {"metadata": {"name": "web", "finalizers": list(names)}}

    merged = merge(finalizers("a", "b"), finalizers("b", "c"), finalizers("a", "b", "d"), POD)
    assert merged == Merge(value=finalizers("b", "c", "d"))


def test_the_fields_of_a_reference_belong_together_labels_do_not() -> None:
    def reference(**fields: str) -> dict[str, Any]:
        env = {"name": "A", "valueFrom": {"secretKeyRef": fields}}
        return pod(containers=[{"name": "web", "env": [env]}])

    base, theirs, mine = (
        reference(name="a", key="x"),
        reference(name="b", key="x"),
        reference(name="a", key="y"),
    )
    (conflict,) = merge(base, theirs, mine, POD).conflicts
    assert conflict.path.endswith("valueFrom.secretKeyRef")
    none, theirs, mine = (pod(nodeSelector=selector) for selector in ({}, {"disk": "ssd"}, {"zone": "a"}))
    assert merge(none, theirs, mine, POD) == Merge(value=pod(nodeSelector={"disk": "ssd", "zone": "a"}))


def test_what_one_removed_and_the_other_changed_is_a_conflict() -> None:
    base, changed = pod(containers=of_images(web="1", proxy="1")), pod(containers=of_images(web="1", proxy="2"))
    removed = pod(containers=of_images(web="1"))
    (conflict,) = merge(base, changed, removed, POD).conflicts
    assert (conflict.path, conflict.mine) == ('spec.containers[name="proxy"]', ABSENT)
    assert merge(base, changed, removed, POD).value == removed
    assert merge(base, changed, removed, POD, take_theirs).value == changed
    (conflict,) = merge(base, removed, changed, POD).conflicts
    assert conflict.theirs is ABSENT


def test_texts_are_merged_by_lines() -> None:
    def config(text: str) -> dict[str, Any]:
        return {"data": {"app.conf": text}}

    base, theirs = config("a=1\nb=1\nc=1\n"), config("a=2\nb=1\nc=1\n")
    assert merge(base, theirs, config("a=1\nb=1\nc=3\n"), None).value == config("a=2\nb=1\nc=3\n")
    (conflict,) = merge(base, theirs, config("a=3\nb=1\nc=1\n"), None).conflicts
    assert (conflict.path, conflict.lines) == ('data["app.conf"]', range(1, 2))
    assert (conflict.base, conflict.theirs, conflict.mine) == ("a=1\n", "a=2\n", "a=3\n")


def test_a_value_that_changes_its_type_is_one_value() -> None:
    base, theirs, mine = pod(volumes={"a": 1}), pod(volumes=[]), pod(volumes={"a": 2})
    (conflict,) = merge(base, theirs, mine, POD).conflicts
    assert (conflict.path, conflict.theirs) == ("spec.volumes", [])
    assert merge(pod(x=None), pod(x={"a": 1}), pod(x={"b": 2}), POD).value == pod(x={"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "expected"),
    [
        (1, 1.0, 2, 2),
        (1, 2, 1.0, 2),
        (1, True, 1, True),
        ({"x": None}, {}, {"x": 5}, {"x": 5}),
        ({}, {"x": 5}, {"x": None}, {"x": 5}),
    ],
)
def test_what_only_looks_different_does_not_conflict(base: Any, theirs: Any, mine: Any, expected: Any) -> None:
    merged = merge({"spec": base}, {"spec": theirs}, {"spec": mine}, None)
    assert same(merged.value, {"spec": expected})
    assert not merged.conflicts


def test_true_is_not_one() -> None:
    assert merge({"x": 1}, {"x": True}, {"x": 2}, None).conflicts


def test_obsolete_are_the_fields_that_both_changed_alike() -> None:
    base = pod(a=1, deep={"x": 1, "y": 1}, containers=[])
    theirs = pod(a=2, deep={"x": 2, "y": 1}, containers=of_images(web="1"))
    mine = pod(a=2, deep={"x": 2, "y": 3}, containers=of_images(web="1"))
    assert merge(base, theirs, mine, POD).obsolete == ("spec.a", "spec.deep.x", "spec.containers")


def test_an_unknown_kind_has_lists_of_one_value() -> None:
    base, theirs, mine = (pod(containers=of_images(web=image)) for image in ("1", "2", "3"))
    assert merge(base, theirs, mine, None).conflicts[0].path == "spec.containers"


def test_a_custom_resource_merges_by_the_keys_of_its_definition() -> None:
    apple, pear = {"sku": "apple", "price": 1}, {"zone": "eu", "sku": "apple", "price": 1}
    base = shop(apple, pear, tags=["a", "b"])
    theirs = shop({**apple, "zone": "all", "price": 2}, pear, tags=["b", "c"])
    mine = shop(apple, {**pear, "price": 3}, {"sku": "plum"}, tags=["a", "b", "d"])
    expected = shop({**apple, "zone": "all", "price": 2}, {**pear, "price": 3}, {"sku": "plum"}, tags=["b", "c", "d"])
    assert merge(base, theirs, mine, SHOP) == Merge(value=expected)
    (conflict,) = merge(base, theirs, shop({**apple, "price": 4}, pear, tags=["a", "b"]), SHOP).conflicts
    assert conflict.path == 'spec.items[zone="all",sku="apple"].price'


def test_large_objects_are_merged_fast() -> None:
    """About 5 MB: a schema of 30,000 fields, and lists with 20,000 entries."""
    fields = {f"field{number}": {"type": "string", "description": "x" * 100} for number in range(30_000)}
    definition = {"spec": {"schema": {"properties": fields}}}
    theirs = {"spec": {"schema": {"properties": {**fields, "field7": {"type": "integer"}}}}}
    mine = {"spec": {"schema": {"properties": {**fields, "field8": {"type": "integer"}}}}}
    env = [{"name": f"V{number}", "value": "x" * 50} for number in range(20_000)]
    edited_env = [{**entry, "value": "y"} if number % 7 == 0 else entry for number, entry in enumerate(env)]
    begin = time.process_time()
    merged = merge(definition, theirs, mine, None)
    pods = [pod(containers=[{"name": "web", "env": entries}]) for entries in (env, env[10:], [*edited_env, *NEW])]
    merged_pod = merge(pods[0], pods[1], pods[2], POD)
    assert time.process_time() - begin < 3
    assert {
        key for key, value in merged.value["spec"]["schema"]["properties"].items() if value["type"] != "string"
    } == {
        "field7",
        "field8",
    }
    assert len(merged_pod.value["spec"]["containers"][0]["env"]) == 20_000 - 10 + 5_000 + len(merged_pod.conflicts)


NEW = [{"name": f"NEW{number}"} for number in range(5_000)]


def test_what_is_nested_too_deep_is_an_error() -> None:
    def deep(leaf: int) -> Any:
        value: Any = leaf
        for _ in range(5000):
            value = {"x": value}
        return value

    with pytest.raises(PatchError, match="too deep"):
        merge(deep(1), deep(2), deep(3), None)
