"""The controllers of a GitOps engine in a cluster, without which it applies nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.foundation.errors import ClusterError, RefusedError
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Query
from cluster_forge.stages.deliver import trouble

ARGOCD: Final = "argocd"
FLUX: Final = "flux"
_COMPONENT: Final = "app.kubernetes.io/component"
_WORKING: Final = {
    ARGOCD: ("application-controller", "repo-server"),
    FLUX: ("kustomize-controller", "source-controller"),
}
"""By the label ``app.kubernetes.io/part-of`` of the engine: those that apply a stack."""


def listed(engine: str, cluster: Cluster, namespace: str = "") -> Iterator[Body]:
    """The StatefulSets and Deployments of an engine's controllers, in ``namespace`` or in any.

    Raises:
        ClusterError, RefusedError: if the cluster does not say.
    """
    for kind in ("StatefulSet", "Deployment"):
        labels = f"app.kubernetes.io/part-of={engine}"
        for body in cluster.list(Query(group="apps", kind=kind, namespace=namespace, labels=labels)).items:
            if mapping(body["metadata"].get("labels")).get(_COMPONENT) in _WORKING[engine]:
                yield body


def is_down(controller: Body) -> bool:
    """Whether none of its Pods is ready, as its own controller has seen it."""
    status = mapping(controller.get("status"))
    return "observedGeneration" in status and not status.get("readyReplicas")


def lacks(engine: str, cluster: Cluster, namespace: str = "") -> tuple[str, ...]:
    """For each controller that is down a sentence that says why; nothing where the cluster does not say."""
    try:
        down = [ObjectId.of(body) for body in listed(engine, cluster, namespace) if is_down(body)]
    except (ClusterError, RefusedError):
        return ()
    sentences = ((f"{target} has no ready Pod", trouble.of(target, cluster).sentence) for target in down)
    return tuple(": ".join(filter(None, parts)) for parts in sentences)
