"""The Pods that run in a cluster, each as what decides about the nodes: a cluster has a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.checks.fit import pod_reader
from cluster_forge.checks.fit.pod_class import PodClass, Surroundings
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.identity import ObjectId, group_of
from cluster_forge.manifests.manifest import Body

ON_NODES: Final = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
"""Selects Pods that have a node and have not ended."""
_HASH: Final = "pod-template-hash"
_AUTOSCALER: Final = "cluster-autoscaler"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPod:
    """A Pod on a ``node``. ``pod_class`` is shared by those that are alike.

    ``controller`` is the workload that made it: the Deployment, where a ReplicaSet did for one; None for a Pod of its own.
    ``is_lasting``: it neither ends by itself nor is being deleted. ``adds_nodes``: it is the cluster-autoscaler.
    """

    name: str
    node: str
    pod_class: PodClass
    controller: ObjectId | None = None
    is_lasting: bool = True
    adds_nodes: bool = False

    @property
    def id(self) -> ObjectId:
        return ObjectId(group="", kind="Pod", namespace=self.pod_class.namespace, name=self.name)

    @property
    def labels(self) -> Mapping[str, str]:
        return dict(self.pod_class.labels)


@dataclass(frozen=True, slots=True)
class PodReader:
    """Reads Pods, and keeps what is the same in many of them once."""

    surroundings: Surroundings
    _classes: dict[PodClass, PodClass] = field(default_factory=dict)
    _controllers: dict[ObjectId | None, ObjectId | None] = field(default_factory=dict)

    def read(self, pod: Body) -> RunningPod:
        metadata, spec = mapping(pod.get("metadata")), mapping(pod.get("spec"))
        read = pod_reader.running(pod, self.surroundings)
        controller = _controller(metadata)
        return RunningPod(
            name=str(metadata.get("name")),
            node=str(spec.get("nodeName")),
            pod_class=self._classes.setdefault(read, read),
            controller=self._controllers.setdefault(controller, controller),
            is_lasting=spec.get("restartPolicy", "Always") == "Always" and not metadata.get("deletionTimestamp"),
            adds_nodes=any(_is_autoscaler(mapping(one)) for one in sequence(spec.get("containers"))),
        )


def _controller(metadata: Mapping[str, Any]) -> ObjectId | None:
    """The owner that controls a Pod. A Deployment names its ReplicaSets by the hash of their template, which it labels Pods with
    (kubernetes, ``deployment/sync.go``).
    """
    owner = next(
        (one for one in map(mapping, sequence(metadata.get("ownerReferences"))) if one.get("controller")), None
    )
    if owner is None:
        return None
    kind, name = str(owner.get("kind")), str(owner.get("name"))
    ending = f"-{mapping(metadata.get('labels')).get(_HASH)}"
    if kind == "ReplicaSet" and name.endswith(ending):
        kind, name = "Deployment", name.removesuffix(ending)
    return ObjectId(
        group=group_of(str(owner.get("apiVersion"))),
        kind=kind,
        namespace=str(metadata.get("namespace") or ""),
        name=name,
    )


def _is_autoscaler(container: Mapping[str, Any]) -> bool:
    """Whether its image is the cluster-autoscaler, of any registry and builder."""
    return _AUTOSCALER in str(container.get("image") or "").rpartition("/")[2]
