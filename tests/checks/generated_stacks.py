"""Stacks of workloads on nodes, by number: every constraint that decides about a Pod's node, from half empty to overfull."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.checks.fit_stacks import ZONE, apart, container, manifest, near, pod, spread, workload

from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.model import Node

Spec = dict[str, Any]
TAINT: Final = "dedicated=batch:NoSchedule"
TOLERATION: Final = {"key": "dedicated", "operator": "Equal", "value": "batch", "effect": "NoSchedule"}
LOADS: Final = (0.4, 0.55, 0.65, 0.75, 0.9, 1.1)
"""The CPU that is requested, as a share of what there is."""


@dataclass(frozen=True, kw_only=True)
class GeneratedStack:
    """``nodes`` are groups of equal nodes; all ``manifests`` are in one namespace, ``shop``, but for PriorityClasses."""

    nodes: Sequence[Node]
    manifests: Sequence[Manifest]


def _plain(spec: Spec, name: str, draw: random.Random) -> Spec:
    return spec


def _selecting(spec: Spec, name: str, draw: random.Random) -> Spec:
    return {**spec, "nodeSelector": {"disk": "ssd"}}


def _tolerating(spec: Spec, name: str, draw: random.Random) -> Spec:
    return {**spec, "tolerations": [TOLERATION]}


def _keeping_apart(spec: Spec, name: str, draw: random.Random) -> Spec:
    return {**spec, "affinity": apart(name)}


def _spreading(spec: Spec, name: str, draw: random.Random) -> Spec:
    return {**spec, "topologySpreadConstraints": spread(name, draw.choice([ZONE, "kubernetes.io/hostname"]))}


def _following(spec: Spec, name: str, draw: random.Random) -> Spec:
    return {**spec, "affinity": near(name, ZONE)}


def _listening(spec: Spec, name: str, draw: random.Random) -> Spec:
    port = draw.randint(10_000, 20_000)
    ports = [{"containerPort": port, "hostPort": port}]
    return {**spec, "containers": [{**spec["containers"][0], "ports": ports}]}


def _starting(spec: Spec, name: str, draw: random.Random) -> Spec:
    first = {**container("700m", "300Mi"), "name": "first"}
    sidecar = {**container("100m", "64Mi", restartPolicy="Always"), "name": "beside"}
    return {**spec, "initContainers": draw.choice([[first], [sidecar], [sidecar, first]])}


def _limited(spec: Spec, name: str, draw: random.Random) -> Spec:
    resources = spec["containers"][0]["resources"]["requests"]
    return {**spec, "containers": [{**spec["containers"][0], "resources": {"limits": resources}}]}


def _urgent(spec: Spec, name: str, draw: random.Random) -> Spec:
    return {**spec, "priorityClassName": "urgent"}


CONSTRAINTS: Final[Sequence[Callable[[Spec, str, random.Random], Spec]]] = (
    _plain,
    _plain,
    _plain,
    _selecting,
    _tolerating,
    _keeping_apart,
    _spreading,
    _following,
    _listening,
    _starting,
    _limited,
    _urgent,
)


def generated(number: int) -> GeneratedStack:
    """The stack of a number; its load is that of `LOADS` in turn."""
    draw = random.Random(number)
    nodes = _nodes(draw)
    budget = LOADS[number % len(LOADS)] * sum(node.count * int(node.cpu) for node in nodes) * 1000
    manifests: list[Manifest] = [
        manifest("scheduling.k8s.io/v1", "PriorityClass", "urgent", value=1000, namespace=""),
        workload("agent", None, _pod(draw, 100, 200, [{"operator": "Exists"}]), "DaemonSet", **_selector("agent")),
    ]
    budget -= 150 * sum(node.count for node in nodes)
    while budget > 0:
        name = f"w{len(manifests)}"
        replicas = draw.choice([1, 1, 1, 2, 2, 3, 4])
        spec = _pod(draw, 50, 1500)
        request = int(spec["containers"][0]["resources"]["requests"]["cpu"].removesuffix("m"))
        spec = draw.choice(CONSTRAINTS)(spec, name, draw)
        kind = draw.choice(["Deployment", "StatefulSet"])
        more: Mapping[str, Any] = (
            {"podManagementPolicy": "Parallel", "serviceName": name} if kind == "StatefulSet" else {}
        )
        manifests.append(workload(name, replicas, spec, kind, **_selector(name), **more))
        budget -= request * replicas
    return GeneratedStack(nodes=nodes, manifests=manifests)


def _nodes(draw: random.Random) -> list[Node]:
    """Two or three zones, one group of nodes for others, one with devices."""
    zones = draw.choice(["ab", "abc"])
    sizes = [(str(draw.choice([2, 4, 8])), f"{draw.choice([8, 16])}Gi") for _ in zones]
    plain = [
        Node(
            count=draw.choice([1, 2, 3]),
            cpu=cpu,
            memory=memory,
            labels={ZONE: zone, "disk": draw.choice(["ssd", "ssd", "hdd"])},
        )
        for zone, (cpu, memory) in zip(zones, sizes, strict=True)
    ]
    tainted = Node(count=1, cpu="4", memory="8Gi", taints=(TAINT,), labels={ZONE: "a", "disk": "ssd"})
    return [*plain, tainted, replace(plain[0], count=1, pods=draw.choice([4, 8, 110]))]


def _pod(draw: random.Random, least: int, most: int, tolerations: Sequence[Spec] = ()) -> Spec:
    one = container(f"{draw.randint(least, most)}m", f"{draw.choice([16, 64, 128, 256, 512, 1024])}Mi")
    return pod(one, **({"tolerations": list(tolerations)} if tolerations else {}))


def _selector(name: str) -> Spec:
    return {"selector": {"matchLabels": {"app": name}}}
