"""What may still change about the nodes of a cluster: what adds nodes, and what the stack itself brings to them.

Sources: Karpenter, "NodePools"; cluster-autoscaler, FAQ ("cluster-autoscaler-status"); Kubernetes, "Device Plugins".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks import workloads
from cluster_forge.checks.fit.nodes import NodeGroup
from cluster_forge.checks.fit.proofs import Open
from cluster_forge.foundation.errors import RefusedError
from cluster_forge.foundation.untyped import mapping, sequence, texts
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.pods import pod_of
from cluster_forge.stages.deliver.preflight.situation import Situation

_ADDING: Final = (
    ("karpenter.sh", "NodePool", "Karpenter"),
    ("autoscaling.openshift.io", "ClusterAutoscaler", "OpenShift"),
)
"""Kinds of programs that add nodes: where one is served, or comes with the stack, the program is there."""
_STATUS: Final = ObjectId(group="", kind="ConfigMap", namespace="kube-system", name="cluster-autoscaler-status")
"""Written by the cluster-autoscaler, also by one that a cloud runs elsewhere."""
_AUTOSCALER: Final = "cluster-autoscaler"
_PLUGINS: Final = ("/var/lib/kubelet/device-plugins", "/var/lib/kubelet")
_ROLES: Final = frozenset({"ClusterRole", "Role"})
_CHANGING: Final = frozenset({"patch", "update", "*"})


def autoscaler(situation: Situation) -> str:
    """What adds nodes to the cluster, or may for all that the user can see; empty if nothing does."""
    kinds = {(manifest.id.group, manifest.id.kind) for manifest in situation.manifests}
    defined = {manifest.id.name.partition(".")[2] for manifest in situation.manifests if _is_crd(manifest.id)}
    for group, kind, name in _ADDING:
        if situation.served.find(group, kind) or (group, kind) in kinds or group in defined:
            return name
    own = workloads.of(situation.workloads)
    if any(_AUTOSCALER in name.rpartition("/")[2] for workload in own for name in workload.image_names):
        return _AUTOSCALER
    try:
        is_there = any(pod.adds_nodes for pod in situation.pods) or situation.cluster.get(_STATUS) is not None
    except RefusedError:
        return "an autoscaler that the user may not see"
    return _AUTOSCALER if is_there else ""


def brought(situation: Situation, groups: Iterable[NodeGroup], requested: Iterable[str]) -> Open:
    """What programs of the stack may add to nodes of what its Pods ask for. A resource that no node lists may come from others."""
    listed = {name for group in groups for name in group.capacity}
    domains = {_domain(group) for group in _custom_groups(situation)}
    has_plugin = any(map(_is_device_plugin, (manifest.body for manifest in situation.workloads)))
    extended = (name for name in requested if "/" in name)
    return Open(
        resources=frozenset(
            name for name in extended if has_plugin or name not in listed or _domain(name.partition("/")[0]) in domains
        ),
        labels=any(_changes_nodes(manifest.body) for manifest in situation.manifests if manifest.id.kind in _ROLES),
    )


def _custom_groups(situation: Situation) -> Iterator[str]:
    """The groups of kinds that the stack defines or has objects of."""
    for manifest in situation.manifests:
        yield manifest.id.name.partition(".")[2] if _is_crd(manifest.id) else manifest.id.group


def _is_crd(identity: ObjectId) -> bool:
    return (identity.group, identity.kind) == CRD


def _domain(name: str) -> str:
    """The vendor's domain: ``nvidia.com`` of ``gpu.nvidia.com``."""
    return ".".join(name.split(".")[-2:])


def _is_device_plugin(workload: Mapping[str, Any]) -> bool:
    """Whether its Pods talk to the kubelet where device plug-ins do."""
    volumes = map(mapping, sequence((pod_of(workload) or {}).get("volumes")))
    paths = (str(mapping(volume.get("hostPath")).get("path") or "").rstrip("/") for volume in volumes)
    return any(path in _PLUGINS for path in paths)


def _changes_nodes(role: Mapping[str, Any]) -> bool:
    """Whether a role is there to change nodes: one for everything (``*``) says nothing about them."""
    return any(
        "nodes" in texts(rule.get("resources")) and _CHANGING & set(texts(rule.get("verbs")))
        for rule in map(mapping, sequence(role.get("rules")))
    )
