"""Whether labels are among those that a LabelSelector selects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cluster_forge.manifests import label_selector

LABELS = {"app": "web", "tier": "front"}


def expression(key: Any, operator: Any, *values: Any) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    "selector",
    [
        {},
        None,
        {"matchLabels": {}},
        {"matchLabels": {"app": "web"}},
        {"matchLabels": {"app": "web"}, **expression("tier", "In", "back", "front")},
        expression("tier", "NotIn", "back"),
        expression("zone", "NotIn", "a"),
        expression("tier", "Exists"),
        expression("zone", "DoesNotExist"),
    ],
)
def test_labels_that_are_selected(selector: Any) -> None:
    assert label_selector.matches(selector, LABELS)


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": {"app": "web", "tier": "back"}},
        {"matchLabels": {"zone": None}},
        {"matchLabels": {"zone": ["a"]}},
        expression("tier", "In", "back"),
        expression("zone", "In", None),
        expression("tier", "NotIn", "front"),
        expression("zone", "Exists"),
        expression("tier", "DoesNotExist"),
        expression("tier", "Near", "front"),
        expression(["tier"], "Exists"),
        {"matchExpressions": ["tier"]},
    ],
)
def test_labels_that_are_not_selected(selector: Any) -> None:
    assert not label_selector.matches(selector, LABELS)


@pytest.mark.parametrize(
    ("metadata", "labels"),
    [({"labels": {"app": "web", "tier": 1, "zone": None}}, {"app": "web"}), ({"labels": "app"}, {}), (None, {})],
)
def test_labels_are_those_that_are_texts(metadata: Any, labels: Mapping[str, str]) -> None:
    assert label_selector.labels_of(metadata) == labels


@pytest.mark.parametrize(
    ("other", "is_possible"), [({"app": "web"}, True), ({"zone": "a"}, True), ({}, True), ({"tier": "back"}, False)]
)
def test_two_sets_of_labels_that_one_object_can_have(other: Mapping[str, str], *, is_possible: bool) -> None:
    assert label_selector.can_both_match(LABELS, other) is is_possible
