"""What the checks look at: the stack, the cluster, and what the cluster was asked already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cluster_forge.gitops.owners import Verdict
from cluster_forge.manifests.manifest import Body, Manifest, Provenance
from cluster_forge.manifests.part import PartObject
from cluster_forge.ports.cluster import Cluster, Query, ServedKinds
from cluster_forge.stages.deliver import ownership
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True)
class Situation:
    """Each property asks the cluster once, when the first check needs it.

    Raises:
        RefusedError: each property, if the user may not know.
    """

    deployment: Deployment
    tools: DeliverTools
    options: DeployOptions

    @property
    def cluster(self) -> Cluster:
        return self.tools.cluster

    @cached_property
    def served(self) -> ServedKinds:
        return self.cluster.served()

    @cached_property
    def ownership(self) -> Verdict:
        return ownership.look(self.deployment, self.tools)

    @cached_property
    def namespaces(self) -> Mapping[str, Body]:
        return {name_of(body): body for body in self.listed("", "Namespace")}

    @cached_property
    def nodes(self) -> tuple[Body, ...]:
        return self.listed("", "Node")

    @cached_property
    def pods(self) -> tuple[Body, ...]:
        """The Pods that hold resources of a node: those that have not ended."""
        return self.listed("", "Pod", fields="status.phase!=Succeeded,status.phase!=Failed")

    @cached_property
    def manifests(self) -> tuple[Manifest, ...]:
        """The objects of the stack."""
        return tuple(
            Manifest(
                id=item.id,
                document=item.document,
                provenance=Provenance(component=part.name, origin=item.path),
            )
            for part in self.deployment.parts
            for item in part.objects
            if item.document
        )

    @cached_property
    def workloads(self) -> tuple[Manifest, ...]:
        """The objects of the stack that create Pods."""
        return tuple(manifest for manifest in self.manifests if manifest.id.kind in _WORKLOADS)

    def objects(self) -> Iterator[PartObject]:
        for part in self.deployment.parts:
            yield from part.objects

    def listed(self, group: str, kind: str, *, namespace: str = "", labels: str = "", fields: str = "") -> tuple[Body, ...]:
        query = Query(group=group, kind=kind, namespace=namespace, labels=labels, fields=fields)
        return self.cluster.list(query).items


_WORKLOADS = frozenset({"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})


def name_of(body: Body) -> str:
    return str(body["metadata"]["name"])


def labels_of(body: Body) -> Mapping[str, Any]:
    return body["metadata"].get("labels") or {}


def annotations_of(body: Body) -> Mapping[str, Any]:
    return body["metadata"].get("annotations") or {}
