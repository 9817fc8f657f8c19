"""The stacks that the Argo CD of a cluster delivers to others: their ApplicationSets (`gitops.argocd.central`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cluster_forge.foundation.errors import RefusedError, UnknownNameError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import central
from cluster_forge.gitops.argocd.central import Pin
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import ClusterReader, Query


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralStack:
    """A stack, and the ApplicationSet that delivers it: ``pins`` say which version each cluster has, ``at_once`` is how many
    change at a time.
    """

    name: str
    application_set: ObjectId
    pins: tuple[Pin, ...]
    at_once: int

    @property
    def clusters(self) -> tuple[str, ...]:
        return tuple(pin.cluster for pin in self.pins)


def of(cluster: ClusterReader) -> tuple[CentralStack, ...]:
    """Those of all Argo CDs of a cluster; none where its ApplicationSets may not be listed."""
    try:
        listed = cluster.list(Query(group=engine.GROUP, kind=central.KIND, labels=STACK_LABEL)).items
    except RefusedError:
        return ()
    return tuple(_read(body) for body in listed)


def again(stack: CentralStack, cluster: ClusterReader) -> CentralStack:
    """The stack as it is now: until its lease is held, other deployments move pins. Without pins where it is gone.

    Raises:
        ClusterError, RefusedError: if the cluster does not say.
    """
    body = cluster.get(stack.application_set)
    return _read(body) if body else replace(stack, pins=())


def _read(body: Body) -> CentralStack:
    return CentralStack(
        name=str(body["metadata"]["labels"][STACK_LABEL]),
        application_set=ObjectId.of(body),
        pins=central.pins(body),
        at_once=central.at_once(body),
    )


def unknown_cluster(stack: CentralStack, cluster: str) -> UnknownNameError:
    """The error about a cluster that the stack is not delivered to."""
    return UnknownNameError(
        f"the stack {stack.name} is not delivered to {cluster}{did_you_mean(cluster, stack.clusters)}",
        where=str(stack.application_set),
        fix=f"name one of its clusters: {', '.join(stack.clusters) or 'it has none any more'}",
    )
