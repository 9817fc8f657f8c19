"""Fields that only an API server sets are dropped."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.manifests import server_fields

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def exported(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}}


def test_an_exported_object_loses_what_its_cluster_set() -> None:
    given = exported(
        uid="1", resourceVersion="2", creationTimestamp="2026-01-01T00:00:00Z", generation=3, managedFields=[{"a": "b"}]
    )
    cleaned = server_fields.without({**given, "status": {"phase": "Active"}})
    assert cleaned.body == exported()
    assert cleaned.dropped == (
        *("metadata.creationTimestamp", "metadata.generation", "metadata.managedFields", "metadata.resourceVersion"),
        *("metadata.uid", "status"),
    )


def test_what_kubectl_applied_last_is_dropped_and_other_annotations_stay() -> None:
    cleaned = server_fields.without(exported(annotations={LAST_APPLIED: "{}", "a": "b"}))
    assert cleaned.body == exported(annotations={"a": "b"})
    assert cleaned.dropped == (f"metadata.annotations.{LAST_APPLIED}",)
    assert server_fields.without(exported(annotations={LAST_APPLIED: "{}"})).body == exported()


@pytest.mark.parametrize(
    "empty",
    [
        {"metadata": {"name": "a", "creationTimestamp": None}},
        {"metadata": {"name": "a"}, "status": {}},
        {
            "metadata": {"name": "a"},
            "status": {"acceptedNames": {"kind": "", "plural": ""}, "conditions": [], "storedVersions": None},
        },
    ],
)
def test_what_generators_leave_empty_is_dropped_without_a_notice(empty: dict[str, Any]) -> None:
    cleaned = server_fields.without({**exported(), **empty})
    assert (cleaned.body, cleaned.dropped) == (exported(), ())


@pytest.mark.parametrize(
    ("owners", "has_owner"),
    [([{"uid": "1"}], True), ([{"name": "a"}], False), ([], False), (None, False), ("a", False)],
)
def test_an_owner_has_a_uid(owners: Any, *, has_owner: bool) -> None:
    assert server_fields.has_owner(exported(ownerReferences=owners)) is has_owner


def test_other_fields_stay_and_nothing_is_copied() -> None:
    given = exported(finalizers=["a"], ownerReferences=[{"uid": "x"}], labels={"uid": "1"}, generateName="b")
    assert server_fields.without(given).body is given
