"""The pod templates of workloads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.manifest import Body

_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})
TEMPLATES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("", "Pod"): (),
        ("", "PodTemplate"): ("template",),
        ("", "ReplicationController"): ("spec", "template"),
        **{("apps", kind): ("spec", "template") for kind in sorted(_WORKLOADS - {"Job"})},
        ("batch", "Job"): ("spec", "template"),
        ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    }
)
"""Where the built-in kinds have the metadata and the spec of their Pods, by group and kind (Kubernetes API, "Workload Resources")."""


def pod_of(body: Body) -> Mapping[str, Any] | None:
    """The pod spec of a workload or Pod; None for an object that creates no pods."""
    if body.get("kind") == "Pod":
        return mapping(body.get("spec"))
    spec = mapping(body.get("spec"))
    if body.get("kind") == "CronJob":
        spec = mapping(mapping(spec.get("jobTemplate")).get("spec"))
    elif body.get("kind") not in _WORKLOADS:
        return None
    pod = mapping(spec.get("template")).get("spec")
    return pod if isinstance(pod, Mapping) else None


def containers_of(body: Body) -> list[Mapping[str, Any]]:
    """The containers of the pods that an object creates, init containers included."""
    pod = pod_of(body) or {}
    return [mapping(item) for name in ("containers", "initContainers") for item in sequence(pod.get(name))]
