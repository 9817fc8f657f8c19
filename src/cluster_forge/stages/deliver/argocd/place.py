"""The Argo CD of a cluster: in which namespace it runs, and from which image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from cluster_forge.foundation.errors import PreflightError
from cluster_forge.gitops import engine
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import DeployPlan
from cluster_forge.ports.cluster import ClusterReader, Query

_LABELS: Final = "app.kubernetes.io/part-of=argocd,app.kubernetes.io/component=repo-server"
"""Of its repo-server, in Argo CD's own manifests and in its chart."""


@dataclass(frozen=True, slots=True)
class ArgoCdPlace:
    """An Argo CD that runs in the cluster; the Git server runs from its ``image``."""

    namespace: str
    image: str


def found(plan: DeployPlan, cluster: ClusterReader) -> DeployPlan:
    """The plan with the namespace of the Argo CD that is in the cluster, if that one is to deliver the stack.

    Raises:
        PreflightError: if there is none, or several and none in the usual namespace.
    """
    if plan.argocd is None or plan.delivery is not Delivery.EXISTING:
        return plan
    return replace(plan, argocd=replace(plan.argocd, namespace=place(cluster).namespace))


def found_if_any(plan: DeployPlan, cluster: ClusterReader) -> DeployPlan:
    """The same; the plan as it is where there is none: the check `preflight.engine` says so, together with all others."""
    try:
        return found(plan, cluster)
    except PreflightError:
        return plan


def place(cluster: ClusterReader) -> ArgoCdPlace:
    """The Argo CD of the cluster; of several the one in the namespace ``argocd``.

    Raises:
        PreflightError: if there is none, or several and none there.
    """
    places = sorted(_places(cluster), key=lambda place: place.namespace)
    chosen = places if len(places) == 1 else [place for place in places if place.namespace == engine.NAMESPACE]
    if chosen:
        return chosen[0]
    if places:
        names = ", ".join(place.namespace for place in places)
        raise PreflightError(
            f"the cluster has several Argo CDs, in the namespaces {names}, and the stack does not say which",
            fix="deploy it with deploy.sh --namespace NAME",
        )
    raise PreflightError(
        "gitops: `install: false`, and no Argo CD runs in the cluster (no repo-server with the label "
        "app.kubernetes.io/part-of=argocd)",
        fix="install Argo CD, or write `install: true` and cast again: the stack then brings it",
    )


def _places(cluster: ClusterReader) -> Iterator[ArgoCdPlace]:
    for kind in ("Deployment", "StatefulSet"):
        for body in cluster.list(Query(group="apps", kind=kind, labels=_LABELS)).items:
            containers = body["spec"]["template"]["spec"]["containers"]
            yield ArgoCdPlace(namespace=body["metadata"]["namespace"], image=containers[0]["image"])
