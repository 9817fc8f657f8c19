"""The resources that objects request from a cluster: pods, CPU, memory and volumes, added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from cluster_forge.foundation import quantity
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import pod_requests
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.manifests.pods import pod_of

_SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet"})
_ZERO = Decimal(0)
_THOUSANDTHS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """CPU in cores, memory and storage in bytes: the requests, and the limits of memory.

    ``node_cpu`` and ``node_memory`` are what DaemonSets request on each node.
    """

    pods: int = 0
    cpu: Decimal = _ZERO
    memory: Decimal = _ZERO
    memory_limit: Decimal = _ZERO
    storage: Decimal = _ZERO
    node_cpu: Decimal = _ZERO
    node_memory: Decimal = _ZERO

    def __add__(self, other: Footprint) -> Footprint:
        return Footprint(
            pods=self.pods + other.pods,
            cpu=self.cpu + other.cpu,
            memory=self.memory + other.memory,
            memory_limit=self.memory_limit + other.memory_limit,
            storage=self.storage + other.storage,
            node_cpu=self.node_cpu + other.node_cpu,
            node_memory=self.node_memory + other.node_memory,
        )


def of(manifests: Iterable[Manifest]) -> Footprint:
    """The footprint of all objects that stay: Jobs and hooks are temporary and do not count.

    A custom resource counts if it has ``replicas`` (or ``instances``) and ``resources``, as those of Prometheus,
    Alertmanager, CloudNativePG and OpenTelemetry do; what other operators create is unknown.
    """
    bodies = [manifest.body for manifest in manifests if not manifest.facts.hook]
    least = {
        body["spec"]["scaleTargetRef"]["name"]: body["spec"].get("minReplicas", 1)
        for body in bodies
        if body.get("kind") == "HorizontalPodAutoscaler"
    }
    return sum((_of(body, least) for body in bodies), Footprint())


def of_pod(body: Body) -> Footprint:
    """What one Pod of a workload requests, or a Pod; nothing for an object that creates none."""
    pod = pod_of(body)
    return replace(_pod(pod), pods=1) if pod else Footprint()


def _of(body: Body, least: Mapping[str, int]) -> Footprint:
    """``least`` are the minimal replicas of autoscaled workloads, by their names."""
    kind, spec = body.get("kind"), body.get("spec")
    if not isinstance(spec, Mapping):
        return Footprint()
    if kind == "PersistentVolumeClaim":
        return Footprint(storage=_claimed(spec))
    if kind == "DaemonSet":
        pod = _pod(spec["template"]["spec"])
        return Footprint(node_cpu=pod.cpu, node_memory=pod.memory)
    if kind in _SCALED:
        claims = sum((_claimed(claim["spec"]) for claim in spec.get("volumeClaimTemplates") or ()), _ZERO)
        given = spec.get("replicas")
        replicas = least.get(body["metadata"]["name"], 1) if given is None else given
        return _times(_pod(spec["template"]["spec"]), replicas, claims)
    return _custom(spec)


def _pod(spec: Mapping[str, Any]) -> Footprint:
    """What a Pod requests, as the scheduler counts it; its limits of memory are those of its containers together."""
    requests = pod_requests.of(spec)
    return Footprint(
        cpu=Decimal(requests.get("cpu", 0)) / _THOUSANDTHS,
        memory=Decimal(requests.get("memory", 0)),
        memory_limit=sum(map(_memory_limit, sequence(spec.get("containers"))), _ZERO),
    )


def _memory_limit(container: object) -> Decimal:
    return _quantity(mapping(mapping(mapping(container).get("resources")).get("limits")).get("memory"))


def _custom(spec: Mapping[str, Any]) -> Footprint:
    replicas = spec.get("replicas", spec.get("instances"))
    resources = spec.get("resources")
    if not isinstance(replicas, int) or not isinstance(resources, Mapping) or "requests" not in resources:
        return Footprint()
    storage = spec.get("storage")
    claimed = _ZERO
    if isinstance(storage, Mapping):
        template = storage.get("volumeClaimTemplate") or {}
        claimed = _claimed(template["spec"]) if template.get("spec") else _quantity(storage.get("size"))
    return _times(_pod({"containers": [{"resources": resources}]}), replicas, claimed)


def _times(pod: Footprint, replicas: int, claimed: Decimal) -> Footprint:
    return Footprint(
        pods=replicas,
        cpu=pod.cpu * replicas,
        memory=pod.memory * replicas,
        memory_limit=pod.memory_limit * replicas,
        storage=claimed * replicas,
    )


def _claimed(spec: Mapping[str, Any]) -> Decimal:
    return _quantity(((spec.get("resources") or {}).get("requests") or {}).get("storage"))


def _quantity(value: Any) -> Decimal:
    try:
        return quantity.parse(value) if value is not None else _ZERO
    except ValueError:  # the API server will report it
        return _ZERO
