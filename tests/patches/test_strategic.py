from __future__ import annotations

import re
from typing import Any

import pytest
from tests.patches.trees import KEYS, SHOP, shop

from cluster_forge.foundation.errors import PatchError
from cluster_forge.patches import strategic

POD = KEYS.schema("", "v1", "Pod")


def pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}


def patched(before: dict[str, Any], change: dict[str, Any]) -> Any:
    return strategic.apply(pod(**before), {"spec": change}, POD)["spec"]


def names(entries: list[dict[str, Any]]) -> list[Any]:
    return [entry["name"] for entry in entries]


WEB = {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
PROXY = {"name": "proxy", "image": "proxy:1"}


def test_mappings_merge_and_null_takes_out() -> None:
    before = {"nodeSelector": {"a": "1", "b": "2"}, "hostNetwork": True}
    change = {"nodeSelector": {"b": None, "c": "3"}, "hostNetwork": None, "nothing": None, "dnsPolicy": "None"}
    assert patched(before, change) == {"nodeSelector": {"a": "1", "c": "3"}, "dnsPolicy": "None"}


def test_lists_merge_by_their_keys_and_other_lists_are_replaced() -> None:
    change = {"containers": [{"name": "web", "image": "web:2", "env": [{"name": "B", "value": "3"}], "args": ["-v"]}]}
    web, proxy = patched({"containers": [{**WEB, "args": ["-q", "-x"]}, PROXY]}, change)["containers"]
    assert web == {"name": "web", "image": "web:2", "env": [WEB["env"][0], {"name": "B", "value": "3"}], "args": ["-v"]}
    assert proxy == PROXY


def test_new_entries_come_before_those_that_the_patch_does_not_name() -> None:
    before = {"containers": [WEB, PROXY]}
    assert names(patched(before, {"containers": [{"name": "new"}]})["containers"]) == ["new", "web", "proxy"]
    change = {"containers": [{"name": "proxy"}, {"name": "new"}]}
    assert names(patched(before, change)["containers"]) == ["web", "proxy", "new"]
    ordered = {"$setElementOrder/containers": [{"name": "proxy"}, {"name": "new"}, {"name": "web"}]}
    assert names(patched(before, {**change, **ordered})["containers"]) == ["proxy", "new", "web"]
    assert names(patched(before, ordered)["containers"]) == ["proxy", "web"]


def test_directives_take_out_and_replace() -> None:
    before = {"containers": [WEB, PROXY], "securityContext": {"runAsUser": 1, "fsGroup": 2}}
    assert patched(before, {"containers": [{"name": "web", "$patch": "delete"}]})["containers"] == [PROXY]
    assert patched(before, {"containers": [{"$patch": "replace"}, PROXY]})["containers"] == [PROXY]
    assert patched(before, {"securityContext": {"$patch": "delete"}}) == {"containers": [WEB, PROXY]}
    replaced = patched(before, {"securityContext": {"$patch": "replace", "fsGroup": 3}})
    assert replaced["securityContext"] == {"fsGroup": 3}
    merged = patched(before, {"securityContext": {"$patch": "merge", "fsGroup": 3}})
    assert merged["securityContext"] == {"runAsUser": 1, "fsGroup": 3}


def test_retained_keys_are_all_that_is_left() -> None:
    before = {"volumes": [{"name": "data", "emptyDir": {}}]}
    change = {"volumes": [{"$retainKeys": ["name", "hostPath"], "name": "data", "hostPath": {"path": "/data"}}]}
    assert patched(before, change)["volumes"] == [{"name": "data", "hostPath": {"path": "/data"}}]


def test_sets_add_and_delete() -> None:
    body = {"metadata": {"name": "web", "finalizers": ["a", "b"]}}
    change = {"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]}
    assert strategic.apply(body, {"metadata": change}, POD)["metadata"]["finalizers"] == ["c", "b"]
    change["$setElementOrder/finalizers"] = ["b", "c"]
    assert strategic.apply(body, {"metadata": change}, POD)["metadata"]["finalizers"] == ["b", "c"]


def test_a_port_is_found_by_number_and_protocol() -> None:
    tcp, udp = {"containerPort": 53, "name": "tcp"}, {"containerPort": 53, "protocol": "UDP", "name": "udp"}
    before = {"containers": [{"name": "dns", "ports": [tcp, udp]}]}

    def ports(change: dict[str, Any]) -> Any:
        return patched(before, {"containers": [{"name": "dns", "ports": [change]}]})["containers"][0]["ports"]

    assert ports({"containerPort": 53, "protocol": "UDP", "hostPort": 1}) == [tcp, {**udp, "hostPort": 1}]
    assert ports({"containerPort": 53, "hostPort": 1}) == [{**tcp, "hostPort": 1}, udp]
    assert ports({"containerPort": 53, "protocol": "SCTP"})[1:] == [tcp, udp]
    assert ports({"containerPort": 53, "$patch": "delete"}) == []
    assert ports({"containerPort": 53, "protocol": "TCP", "$patch": "delete"}) == [udp]


def test_what_a_patch_adds_has_neither_directives_nor_nulls() -> None:
    change = {"containers": [{"name": "new", "env": [{"name": "A", "$patch": "delete"}], "image": None}]}
    assert patched({}, change) == {"containers": [{"name": "new", "env": []}]}
    assert patched({}, {"securityContext": {"runAsUser": None, "seLinuxOptions": {"level": "x"}}}) == {
        "securityContext": {"seLinuxOptions": {"level": "x"}}
    }


@pytest.mark.parametrize(
    ("before", "change", "message"),
    [
        ({"containers": "none"}, {"containers": [PROXY]}, "the object has a single value here, and the patch a list"),
        ({"containers": [PROXY]}, {"containers": {"a": None}}, "the object has a list here, and the patch a mapping"),
        ({"containers": [PROXY]}, {"containers": "none"}, "the object has a list here, and the patch a single value"),
        (
            {"securityContext": {"runAsUser": 1}},
            {"securityContext": [1]},
            "the object has a mapping here, and the patch a list",
        ),
    ],
)
def test_a_value_of_another_sort_is_a_slip(before: Any, change: Any, message: str) -> None:
    with pytest.raises(PatchError, match=message) as caught:
        patched(before, change)
    assert caught.value.where == f"spec.{next(iter(change))}"


def test_a_value_of_another_sort_may_be_taken_out_or_replaced() -> None:
    assert patched({"containers": "none"}, {"containers": None}) == {}
    assert patched({"containers": [PROXY]}, {"containers": {"$patch": "replace", "a": 1}}) == {"containers": {"a": 1}}
    assert patched({"containers": None}, {"containers": [PROXY]}) == {"containers": [PROXY]}


def test_an_unknown_kind_has_lists_that_are_replaced() -> None:
    body = {"spec": {"containers": [WEB, PROXY]}}
    patch = {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}
    assert strategic.apply(body, patch, None) == patch


def test_the_whole_object_is_deleted() -> None:
    patch = {"kind": "Pod", "$patch": "delete"}
    assert strategic.is_deletion(patch)
    assert strategic.apply(pod(), patch, POD) == {}
    assert not strategic.is_deletion({"spec": {"$patch": "delete"}})


def test_nothing_is_changed_in_place() -> None:
    body, patch = pod(containers=[WEB, PROXY]), {"spec": {"containers": [{"name": "web", "env": [{"name": "C"}]}]}}
    before = repr((body, patch))
    strategic.apply(body, patch, POD)
    assert repr((body, patch)) == before


def test_of_entries_with_the_same_keys_the_first_is_meant() -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    change = {"containers": [{"name": "web", "env": [{"name": "A", "value": "3"}]}]}
    assert patched({"containers": [{"name": "web", "env": twice}]}, change)["containers"][0]["env"] == [
        {"name": "A", "value": "3"},
        twice[1],
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"containers": [{"image": "web:2"}]}, "spec.containers: an entry has no `name`"),
        ({"containers": ["web"]}, "spec.containers: an entry of the patch is not a mapping"),
        (
            {"containers": [{"name": "web", "$patch": "remove"}]},
            'spec.containers.name="web".: unknown directive `.patch: remove`',
        ),
        ({"securityContext": {"$patch": None}}, "spec.securityContext: unknown directive"),
        ({"$setElementOrder/containers": {}}, "spec.containers: the patch of a list is not a list"),
        ({"$setElementOrder/tolerations": []}, "spec.tolerations: the list has no merge key"),
        ({"$deleteFromPrimitiveList/tolerations": []}, "spec.tolerations: the list has no merge key"),
        ({"$retainKeys": "containers"}, "spec: `.retainKeys` is not a list"),
        ({"$retainKeys": ["a"], "b": 1}, "spec: `.retainKeys` is not a list that has every field"),
        ({"containers": [{"name": "web"}], "$setElementOrder/containers": []}, "lacks an entry of the patch"),
        (
            {"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}]},
            "spec.topologySpreadConstraints: several entries have `topologyKey: zone`",
        ),
    ],
)
def test_what_means_nothing_is_an_error(change: dict[str, Any], message: str) -> None:
    spread = [{"topologyKey": "zone", "whenUnsatisfiable": when} for when in ("DoNotSchedule", "ScheduleAnyway")]
    with pytest.raises(PatchError) as caught:
        patched({"containers": [WEB], "topologySpreadConstraints": spread}, change)
    assert re.search(message, str(caught.value))
    assert caught.value.fix


def test_a_custom_resource_merges_by_the_keys_of_its_definition() -> None:
    apple, pear = {"sku": "apple", "price": 1}, {"zone": "eu", "sku": "apple", "price": 1}

    def items(change: dict[str, Any]) -> Any:
        return strategic.apply(shop(apple, pear), {"spec": {"items": [change]}}, SHOP)["spec"]["items"]

    assert items({"sku": "apple", "price": 2}) == [{**apple, "price": 2}, pear]
    assert items({"sku": "apple", "zone": "eu", "price": 2}) == [apple, {**pear, "price": 2}]
    assert items({"sku": "plum"}) == [{"sku": "plum"}, apple, pear]
    assert items({"sku": "apple", "zone": "eu", "$patch": "delete"}) == [apple]


def test_a_patch_that_is_nested_too_deep_is_an_error() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(PatchError, match="too deep"):
        strategic.apply(pod(), deep, POD)
