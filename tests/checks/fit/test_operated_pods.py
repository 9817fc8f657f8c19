"""The Pods that operators make of custom resources, as components say it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.fit_stacks import container, manifest, pod

from cluster_forge.checks.fit import operated_pods
from cluster_forge.checks.fit.pod_class import Surroundings
from cluster_forge.stack.operated_kind import OperatedKind, OperatedPods

RESOURCES = {"requests": {"cpu": "500m"}}
TEMPLATE = {"spec": pod(container("2", None))}


def counts(spec: Any, *pods: OperatedPods, kind: str = "Database") -> list[tuple[dict[str, int], int]]:
    """The requests of the Pods of an object, and their numbers."""
    known = OperatedKind(group="example.org", kind="Database", pods=pods)
    made = operated_pods.pods_of(manifest("example.org/v1", kind, "db", spec), [known], Surroundings())
    return [(dict(pod_class.requests), count) for pod_class, count in made]


@pytest.mark.parametrize(
    ("spec", "pods", "expected"),
    [
        (
            {"size": 3, "resources": RESOURCES},
            OperatedPods(replicas="spec.size", resources="spec.resources"),
            [({"cpu": 500}, 3)],
        ),
        ({"resources": RESOURCES}, OperatedPods(replicas="spec.size", resources="spec.resources"), [({"cpu": 500}, 1)]),
        (
            {"resources": RESOURCES},
            OperatedPods(replicas="spec.size", default=3, resources="spec.resources"),
            [({"cpu": 500}, 3)],
        ),
        ({"size": 0, "resources": RESOURCES}, OperatedPods(replicas="spec.size", resources="spec.resources"), []),
        ({"size": 3}, OperatedPods(replicas="spec.size", resources="spec.resources"), []),
        ({"head": {"template": TEMPLATE}}, OperatedPods(template="spec.head.template"), [({"cpu": 2000}, 1)]),
        (
            {"pools": [{"servers": 4, "resources": RESOURCES}, {"servers": 2, "resources": RESOURCES}]},
            OperatedPods(entries="spec.pools", replicas="servers", resources="resources"),
            [({"cpu": 500}, 4), ({"cpu": 500}, 2)],
        ),
    ],
)
def test_paths_lead_to_numbers_and_requests(
    spec: Any, pods: OperatedPods, expected: list[tuple[dict[str, int], int]]
) -> None:
    assert counts(spec, pods) == expected


@pytest.mark.parametrize("key", ["replicas", "instances"])
def test_kinds_of_which_nothing_is_known_count_by_the_usual_fields(key: str) -> None:
    assert counts({key: 2, "resources": RESOURCES}, kind="Cache") == [({"cpu": 500}, 2)]


@pytest.mark.parametrize(
    "spec", [None, [], "text", {"pools": {}}, {"pools": [1, None]}, {"pools": [{"servers": "4", "resources": [1]}]}]
)
def test_values_of_another_type_make_no_pods(spec: Any) -> None:
    assert counts(spec, OperatedPods(entries="spec.pools", replicas="servers", resources="resources")) == []
