"""The pod templates of workloads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.manifests.manifest import Body

_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})


def pod_of(body: Body) -> Mapping[str, Any] | None:
    """The pod spec of a workload or Pod; None for an object that creates no pods."""
    spec: Any = body.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    if body.get("kind") == "Pod":
        return spec  # type: ignore[no-any-return]
    if body.get("kind") == "CronJob":
        spec = spec.get("jobTemplate", {}).get("spec", {})
    elif body.get("kind") not in _WORKLOADS:
        return None
    return spec.get("template", {}).get("spec")  # type: ignore[no-any-return]


def containers_of(body: Body) -> list[Mapping[str, Any]]:
    """The containers of the pods that an object creates, init containers included."""
    pod = pod_of(body) or {}
    return [*(pod.get("containers") or ()), *(pod.get("initContainers") or ())]
