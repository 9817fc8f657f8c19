"""Whether a stack fits, as `check` says and as the real scheduler does it: 30 generated stacks, each on nodes of its own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest
from tests.checks.generated_stacks import GeneratedStack, generated
from tests.e2e import nodes
from tests.e2e.cluster import Cluster
from tests.e2e.polling import until

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.fit.search import Verdict
from cluster_forge.checks.fit.stack_fit import StackFit
from cluster_forge.manifests.manifest import Body
from cluster_forge.stack.model import Stack, Target

pytestmark = pytest.mark.e2e

STACKS = 30
TRIES, UNLUCKY_AT_MOST = 5, 3
"""More tries for a stack that fits: among nodes that it likes as much the scheduler takes one at random (``selectHost`` in its
source), and controllers create Pods side by side. Most fit at once, all in the end.
"""
NAMESPACE = "shop"
WORKLOADS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
STEADY_SECONDS = 2.0
"""The scheduler has refused some Pods and placed all others, and nothing changes any more: it may still preempt."""


def test_the_scheduler_agrees(own_cluster: Cluster) -> None:
    """What fits is scheduled whole, what does not leaves Pods pending; what is tight may go either way."""
    for number in range(own_cluster.nodes):
        own_cluster.http.request("DELETE", f"/api/v1/nodes/node-{number}")
    own_cluster.apply(f"/api/v1/namespaces/{NAMESPACE}", _named("v1", "Namespace", NAMESPACE))
    seen: Counter[tuple[Verdict, bool]] = Counter()
    wrong: list[str] = []
    unlucky: set[int] = set()
    for number in range(STACKS):
        stack = generated(number)
        fit = StackFit.of(
            CheckedStack(Stack(name="shop", target=Target(nodes=tuple(stack.nodes))), stack.manifests, waves={})
        )
        pending = _pending(own_cluster, stack, fit)
        verdict = fit.result.verdict
        for _ in range(TRIES):
            if verdict is Verdict.FITS and pending:
                unlucky.add(number)
                pending = _pending(own_cluster, stack, fit)
        seen[verdict, bool(pending)] += 1
        if (verdict is Verdict.FITS and pending) or (verdict is Verdict.DOES_NOT_FIT and not pending):
            wrong.append(f"stack {number}: {verdict}, and {len(pending)} Pods are pending: {pending[:3]}")
    assert not wrong, (wrong, seen)
    assert len(unlucky) <= UNLUCKY_AT_MOST, unlucky
    assert seen[Verdict.FITS, False] >= 8
    assert seen[Verdict.DOES_NOT_FIT, True] >= 8


def _pending(cluster: Cluster, stack: GeneratedStack, fit: StackFit) -> list[str]:
    """The Pods that the scheduler leaves pending on the nodes of a stack; all is removed afterwards."""
    placement = fit.result.placement
    expected = sum(len(on) for on in placement.on.values()) + placement.lacking
    names = placement.board.compiler.nodes.names
    for name, body in zip(names, _node_bodies(stack, names), strict=True):
        path = f"/api/v1/nodes/{name}"
        cluster.apply(path, {key: value for key, value in body.items() if key != "status"})
        cluster.apply(path, body, "status")
    until(lambda: _are_ready(cluster, names), "the nodes are ready")
    try:
        for manifest in stack.manifests:
            cluster.apply(_path(manifest.body), manifest.body)
        return _settled(cluster, expected)
    finally:
        _remove(cluster, names)


def _settled(cluster: Cluster, expected: int) -> list[str]:
    """The pending Pods, once all Pods are there and the scheduler has nothing left to do."""
    former: list[tuple[str, str]] = []
    since = time.monotonic()
    deadline = since + 120
    while True:
        pods = cluster.get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"]
        state = sorted((pod["metadata"]["name"], pod["spec"].get("nodeName", "")) for pod in pods)
        pending = [pod for pod in pods if not pod["spec"].get("nodeName")]
        are_there = len(pods) == expected and not any("deletionTimestamp" in pod["metadata"] for pod in pods)
        now = time.monotonic()
        if are_there and not pending:
            return []
        if state != former or not are_there or not all(map(_is_refused, pending)):
            former, since = state, now
        elif now - since > STEADY_SECONDS:
            return list(map(_message, pending))
        assert now < deadline, f"{len(pods)} of {expected} Pods"
        time.sleep(0.2)


def _is_refused(pod: Body) -> bool:
    return bool(_message(pod))


def _message(pod: Body) -> str:
    conditions = pod.get("status", {}).get("conditions", ())
    return next((one.get("message", "") for one in conditions if one.get("reason") == "Unschedulable"), "")


def _node_bodies(stack: GeneratedStack, names: list[str]) -> Iterator[dict[str, Any]]:
    numbered = iter(names)
    for group in stack.nodes:
        for _ in range(group.count):
            body = nodes.node(0)
            name = next(numbered)
            labels = {**body["metadata"]["labels"], **group.labels, "kubernetes.io/hostname": name}
            size = {"cpu": group.cpu, "memory": group.memory, "pods": str(group.pods), "ephemeral-storage": "500Gi"}
            taints = [dict(zip(("key", "value", "effect"), _parts(taint), strict=True)) for taint in group.taints]
            yield {
                **body,
                "metadata": {**body["metadata"], "name": name, "labels": labels},
                "spec": {"taints": taints},
                "status": {"allocatable": size, "capacity": size},
            }


def _parts(taint: str) -> tuple[str, str, str]:
    """Key, value and effect."""
    rest, effect = taint.split(":")
    key, value = rest.split("=")
    return key, value, effect


def _are_ready(cluster: Cluster, names: list[str]) -> bool:
    found = {node["metadata"]["name"]: node for node in cluster.get("/api/v1/nodes")["items"]}
    return all(
        any(one["type"] == "Ready" and one["status"] == "True" for one in found[name]["status"].get("conditions", ()))
        and not any(taint["key"].startswith("node.kubernetes.io/") for taint in found[name]["spec"].get("taints", ()))
        for name in names
    )


def _remove(cluster: Cluster, names: list[str]) -> None:
    """The workloads, their Pods, and the nodes."""
    background = {"propagationPolicy": "Background"}
    for plural in (*WORKLOADS.values(), "replicasets"):
        _delete(cluster, f"/apis/apps/v1/namespaces/{NAMESPACE}/{plural}", background)
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"

    def is_empty() -> bool:
        _delete(cluster, pods, {"gracePeriodSeconds": 0})
        return not cluster.get(pods)["items"]

    until(is_empty, "all Pods are gone")
    for name in names:
        _delete(cluster, f"/api/v1/nodes/{name}", {})


def _delete(cluster: Cluster, path: str, options: Mapping[str, Any]) -> None:
    headers = {"Content-Type": "application/json"}
    cluster.http.request("DELETE", path, body=orjson.dumps(options), headers=headers)


def _path(body: Body) -> str:
    name = body["metadata"]["name"]
    if body["kind"] == "PriorityClass":
        return f"/apis/scheduling.k8s.io/v1/priorityclasses/{name}"
    return f"/apis/apps/v1/namespaces/{NAMESPACE}/{WORKLOADS[body['kind']]}/{name}"


def _named(api: str, kind: str, name: str) -> Body:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}}
