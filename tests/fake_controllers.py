"""Controllers of the fake cluster: what those of a healthy cluster write into the status of an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.fake_cluster import FakeCluster
from tests.field_ownership import Tree

from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body

_NODES: Final = 3


def becomes_ready(cluster: FakeCluster, body: Body) -> None:
    """What happens after a change: for ``on_change``."""
    target = ObjectId.of(body)
    status = _STATUSES[target.kind](body) if target.kind in _STATUSES else None
    if status is not None and body.get("status") != status:
        cluster.set_status(target, status)


def _deployment(body: Body) -> Tree:
    conditions = [_true("Available"), {**_true("Progressing"), "reason": "NewReplicaSetAvailable"}]
    return {**_replicas(body), "conditions": conditions}


def _stateful_set(body: Body) -> Tree:
    counts = _replicas(body)
    revisions = {"currentRevision": "1", "updateRevision": "1"}
    return {**counts, **revisions, "currentReplicas": counts["replicas"]}


def _daemon_set(body: Body) -> Tree:
    names = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberReady",
    )
    return {**_observed(body), **dict.fromkeys(names, _NODES)}


def _replicas(body: Body) -> Tree:
    names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {**_observed(body), **dict.fromkeys(names, body["spec"].get("replicas", 1))}


def _observed(body: Body) -> Tree:
    return {"observedGeneration": body["metadata"]["generation"]}


def _true(kind: str) -> Tree:
    return {"type": kind, "status": "True"}


_STATUSES: Final[Mapping[str, Callable[[Body], Tree]]] = {
    "APIService": lambda _: {"conditions": [_true("Available")]},
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Job": lambda _: {"succeeded": 1, "startTime": "2026-01-01T00:00:00Z", "conditions": [_true("Complete")]},
    "PersistentVolumeClaim": lambda _: {"phase": "Bound"},
    "Pod": lambda _: {"phase": "Running", "conditions": [_true("Ready")]},
    "ReplicaSet": _replicas,
    "StatefulSet": _stateful_set,
}
