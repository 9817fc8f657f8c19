"""The health of an object, by kind: from its body with status, as the API server returns it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.manifests import health
from cluster_forge.manifests.health import AWAITED, Health, Status

READY, IN_PROGRESS, FAILED = Status.READY, Status.IN_PROGRESS, Status.FAILED
API_VERSIONS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "APIService": "apiregistration.k8s.io/v1",
    "Widget": "example.com/v1",
}


def body(kind: str, status: Any = None, spec: Any = None, **metadata: Any) -> dict[str, Any]:
    content = {"apiVersion": API_VERSIONS.get(kind, "v1"), "kind": kind, "metadata": {"name": "x", **metadata}}
    return content | ({"spec": spec} if spec is not None else {}) | ({"status": status} if status is not None else {})


def conditions(*entries: tuple[str, str] | tuple[str, str, str] | tuple[str, str, str, str]) -> dict[str, Any]:
    names = ("type", "status", "reason", "message")
    return {"conditions": [dict(zip(names, entry, strict=False)) for entry in entries]}


AVAILABLE = conditions(("Available", "True"))
ROLLED_OUT = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
REVISIONS = {"currentRevision": "a", "updateRevision": "b"}
ON_DELETE = {"type": "OnDelete"}
PARTITION = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
SCHEDULED = {"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}
LOOPING = {"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}


@pytest.mark.parametrize(
    ("kind", "status", "spec", "expected", "message"),
    [
        ("Deployment", None, {}, IN_PROGRESS, "0 of 1 replica updated"),
        ("Deployment", {**ROLLED_OUT, **AVAILABLE}, {"replicas": 2}, READY, "2 of 2 replicas available"),
        ("Deployment", {**ROLLED_OUT, **AVAILABLE}, {"replicas": 3}, IN_PROGRESS, "2 of 3 replicas updated"),
        ("Deployment", {**ROLLED_OUT, "replicas": 3}, {"replicas": 2}, IN_PROGRESS, "1 old replica to be terminated"),
        ("Deployment", {**ROLLED_OUT, "availableReplicas": 1}, {"replicas": 2}, IN_PROGRESS, "1 of 2 replicas avail"),
        ("Deployment", ROLLED_OUT, {"replicas": 2}, IN_PROGRESS, "not observed yet"),
        ("Deployment", AVAILABLE, {"replicas": 0}, READY, "0 of 0"),
        (
            "Deployment",
            conditions(("Progressing", "False", "ProgressDeadlineExceeded", "it timed out")),
            {},
            FAILED,
            "it timed out",
        ),
        ("StatefulSet", None, {}, IN_PROGRESS, "0 of 1 replica ready"),
        ("StatefulSet", ROLLED_OUT, {"replicas": 2}, READY, "2 of 2 replicas ready"),
        ("StatefulSet", {**ROLLED_OUT, "replicas": 3}, {"replicas": 2}, IN_PROGRESS, "1 replica to be terminated"),
        ("StatefulSet", {**ROLLED_OUT, "updatedReplicas": 1}, {"replicas": 2}, IN_PROGRESS, "1 of 2 replicas updated"),
        ("StatefulSet", {**ROLLED_OUT, **REVISIONS}, {"replicas": 2}, IN_PROGRESS, "rollout is not complete"),
        ("StatefulSet", {**ROLLED_OUT, **REVISIONS}, {"replicas": 2, "updateStrategy": ON_DELETE}, READY, "2 of 2"),
        ("StatefulSet", {"readyReplicas": 1}, {"replicas": 2, "updateStrategy": ON_DELETE}, IN_PROGRESS, "1 of 2"),
        (
            "StatefulSet",
            {**ROLLED_OUT, **REVISIONS, "updatedReplicas": 1},
            {"replicas": 2, "updateStrategy": PARTITION},
            READY,
            "2 of 2",
        ),
        ("DaemonSet", None, {}, IN_PROGRESS, "not observed yet"),
        ("DaemonSet", SCHEDULED, {}, READY, "3 of 3 pods available"),
        ("DaemonSet", {**SCHEDULED, "updatedNumberScheduled": 1}, {}, IN_PROGRESS, "1 of 3 pods updated"),
        ("DaemonSet", {**SCHEDULED, "updatedNumberScheduled": 1}, {"updateStrategy": ON_DELETE}, READY, "3 of 3"),
        ("DaemonSet", {**SCHEDULED, "numberAvailable": 2}, {}, IN_PROGRESS, "2 of 3 pods available"),
        ("Job", None, {}, IN_PROGRESS, "0 pods active, 0 failed"),
        ("Job", {"active": 1, "failed": 2}, {}, IN_PROGRESS, "1 pod active, 2 failed"),
        ("Job", conditions(("Complete", "True")), {}, READY, "complete"),
        ("Job", conditions(("Failed", "True", "BackoffLimitExceeded")), {}, FAILED, "BackoffLimitExceeded"),
        ("Job", conditions(("Suspended", "True")), {"suspend": True}, READY, "suspended"),
        ("Pod", None, {}, IN_PROGRESS, "not observed yet"),
        ("Pod", {"phase": "Running", **conditions(("Ready", "True"))}, {}, READY, "running"),
        ("Pod", {"phase": "Running", **conditions(("Ready", "False"))}, {}, IN_PROGRESS, "Running"),
        ("Pod", {"phase": "Running", **LOOPING}, {}, FAILED, "containers in CrashLoopBackOff: web"),
        ("Pod", {"phase": "Succeeded"}, {}, READY, "completed"),
        ("Pod", {"phase": "Failed"}, {}, FAILED, "a container failed"),
        (
            "Pod",
            {"phase": "Pending", **conditions(("PodScheduled", "False", "Unschedulable", "no node fits"))},
            {},
            IN_PROGRESS,
            "no node fits",
        ),
        ("PersistentVolumeClaim", {"phase": "Bound"}, {}, READY, "bound"),
        ("PersistentVolumeClaim", {"phase": "Pending"}, {}, IN_PROGRESS, "Pending"),
        ("PersistentVolumeClaim", {"phase": "Lost"}, {}, FAILED, "lost"),
        ("CustomResourceDefinition", None, {}, IN_PROGRESS, "not established"),
        ("CustomResourceDefinition", conditions(("Established", "True")), {}, READY, "established"),
        ("CustomResourceDefinition", conditions(("Established", "False", "Installing")), {}, IN_PROGRESS, "not estab"),
        ("CustomResourceDefinition", conditions(("Established", "False", "NotAccepted")), {}, FAILED, "NotAccepted"),
        ("CustomResourceDefinition", conditions(("NamesAccepted", "False", "Conflict")), {}, FAILED, "Conflict"),
        ("APIService", None, {}, IN_PROGRESS, "not observed yet"),
        ("APIService", AVAILABLE, {}, READY, "available"),
        ("APIService", conditions(("Available", "False", "Missing", "no endpoint")), {}, IN_PROGRESS, "no endpoint"),
        ("Namespace", {"phase": "Active"}, None, READY, "active"),
        ("Namespace", {"phase": "Terminating"}, None, IN_PROGRESS, "Terminating"),
        ("Service", None, {"type": "ClusterIP"}, READY, "exists"),
        ("Service", {"loadBalancer": {}}, {"type": "LoadBalancer"}, IN_PROGRESS, "waiting for an address"),
        ("Service", {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}, {"type": "LoadBalancer"}, READY, "address"),
        ("ConfigMap", None, None, READY, "exists"),
        ("Widget", None, {}, READY, "exists"),
        ("Widget", conditions(("Ready", "True")), {}, READY, "condition Ready"),
        ("Widget", conditions(("Ready", "False", "Waiting", "no volume")), {}, IN_PROGRESS, "no volume"),
        ("Widget", conditions(("Available", "Unknown", "Probing")), {}, IN_PROGRESS, "Probing"),
        ("Widget", conditions(("Ready", "True"), ("Available", "False")), {}, READY, "condition Ready"),
        ("Widget", conditions(("Ready", "True"), ("Stalled", "True", "BadSpec")), {}, FAILED, "BadSpec"),
        ("Widget", conditions(("Reconciling", "True", "Working"), ("Ready", "True")), {}, IN_PROGRESS, "Working"),
    ],
)
def test_health_follows_from_kind_and_status(kind: str, status: Any, spec: Any, expected: Status, message: str) -> None:
    found = health.of(body(kind, status, spec))
    assert found.status is expected
    assert message in found.message


def test_an_object_that_is_being_deleted_is_in_progress() -> None:
    found = health.of(body("ConfigMap", deletionTimestamp="2026-01-01T00:00:00Z"))
    assert found == Health(IN_PROGRESS, "being deleted")


def test_an_unobserved_generation_is_in_progress() -> None:
    status = {"observedGeneration": 1, **conditions(("Ready", "True"))}
    assert health.of(body("Widget", status, generation=1)).status is READY
    assert health.of(body("Widget", status, generation=2)) == Health(
        IN_PROGRESS, "generation 2 is not observed yet (last: 1)"
    )


def test_a_kind_of_another_group_has_no_rule_of_a_built_in_one() -> None:
    assert health.of({**body("Service", spec={"type": "LoadBalancer"}), "apiVersion": "example.com/v1"}).status is READY


@pytest.mark.parametrize(("group", "kind"), sorted(AWAITED))
def test_awaited_kinds_are_not_ready_before_a_controller_saw_them(group: str, kind: str) -> None:
    assert health.of({"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "x"}}).status is IN_PROGRESS


statuses = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["True", "Ready", "Running", "OnDelete", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["conditions", "type", "status", "replicas", "phase", "containerStatuses", "state", "loadBalancer"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from([*API_VERSIONS, "Pod", "Service", "Namespace", "PersistentVolumeClaim"]), statuses, statuses)
def test_any_status_has_a_health(kind: str, status: Any, spec: Any) -> None:
    assert isinstance(health.of(body(kind, status, spec)).message, str)
