"""The laws of the merge with many cases: ``CLUSTER_FORGE_EXAMPLES=10000`` tries each with at least as many (10 s)."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any, Final

import pytest
from tests.examples_tried import LEAST
from tests.patches.test_three_way import meant, scalars_of, take_theirs, unordered
from tests.patches.trees import DEPLOYMENT, SHOP, edited, shop

from cluster_forge.manifests.field_schema import FieldSchema
from cluster_forge.patches.sameness import same
from cluster_forge.patches.smallest import smallest
from cluster_forge.patches.three_way import Merge, merge

CASES: Final = max(300, LEAST)

WEB: Final = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"a": "x", "b": "y"}, "finalizers": ["a", "b"]},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "x"}},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": name,
                        "image": "one",
                        "args": ["a", "b", "c"],
                        "env": [{"name": "a", "value": "1"}, {"name": "b", "value": "x\ny\nz\n"}],
                        "ports": [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53}],
                        "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
                    }
                    for name in ("a", "b", "c")
                ],
                "tolerations": [{"key": "a"}, {"key": "b"}],
                "volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "a"}}],
            }
        },
    },
}
STORE: Final = shop({"zone": "a", "sku": "1", "text": "x\ny\nz\n"}, {"sku": "1"}, {"sku": "2"}, tags=["a", "b", "c"])


@pytest.mark.parametrize(
    ("body", "schema"),
    [pytest.param(WEB, DEPLOYMENT, id="a built-in kind"), pytest.param(STORE, SHOP, id="a custom resource")],
)
def test_the_laws_of_the_merge(body: Any, schema: FieldSchema) -> None:
    chance = random.Random(22)
    cases: Counter[str] = Counter()
    while min((cases["any"], cases["merged"], cases["conflicting"])) < CASES:
        base = edited(body, chance, chance.randint(0, 6))
        most = chance.choice((1, 6))
        theirs, mine = (edited(base, chance, chance.randint(1, most)) for _ in range(2))
        merged = merge(base, theirs, mine, schema)
        cases["any"] += 1
        cases["conflicting" if merged.conflicts else "merged"] += 1
        check_one_sided(base, mine, schema)
        check_sides(base, theirs, mine, schema)
        assert same(merge(theirs, theirs, merged.value, schema).value, merged.value)
        if not merged.conflicts:
            assert unordered(meant(merged.value)) == unordered(meant(merge(base, mine, theirs, schema).value))
            again = merge(base, theirs, merged.value, schema)
            assert same(again.value, merged.value)
            assert not again.conflicts


def check_one_sided(base: Any, mine: Any, schema: FieldSchema) -> None:
    """What only one side changed, or both in the same way, is that; and so is the patch that is saved for it."""
    assert merge(base, mine, base, schema) == Merge(value=mine)
    assert merge(base, base, mine, schema) == Merge(value=mine)
    both = merge(base, mine, mine, schema)
    assert same(both.value, mine)
    assert not both.conflicts
    patched = smallest(base, mine, schema).apply(base, schema)
    assert json.dumps(patched, sort_keys=True) == json.dumps(mine, sort_keys=True)


def check_sides(base: Any, theirs: Any, mine: Any, schema: FieldSchema) -> None:
    """The sides mirror each other, and nothing is invented."""
    ours, others = merge(base, theirs, mine, schema), merge(base, mine, theirs, schema, take_theirs)
    assert unordered(meant(ours.value)) == unordered(meant(others.value))
    assert {conflict.path for conflict in ours.conflicts} == {conflict.path for conflict in others.conflicts}
    known = {*scalars_of(base), *scalars_of(theirs), *scalars_of(mine)}
    assert {*scalars_of(ours.value), *scalars_of(merge(base, mine, theirs, schema).value)} <= known


@pytest.mark.parametrize("field", ["tags", "items"])
def test_a_list_that_is_merged_again_keeps_its_order(field: str) -> None:
    """Sets and lists whose entries have keys, with other entries in other orders on each side."""

    def made(names: list[str]) -> dict[str, Any]:
        return shop(tags=names) if field == "tags" else shop(*({"sku": name} for name in names))

    chance = random.Random(22)
    for _ in range(10 * CASES):
        base, theirs, mine = (made(chance.sample("abcde", chance.randint(1, 4))) for _ in range(3))
        merged = merge(base, theirs, mine, SHOP)
        if not merged.conflicts:
            assert merge(base, theirs, merged.value, SHOP).value == merged.value
