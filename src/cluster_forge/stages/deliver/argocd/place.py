"""The Argo CD of a cluster: in which namespace it runs, and from which image; and what is applied there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cluster_forge.foundation.errors import PreflightError
from cluster_forge.foundation.untyped import mapping
from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import applications, project
from cluster_forge.gitops.component_steps import rendered
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.plan import ArgoCdPlan, DeployPlan
from cluster_forge.gitops.steps import Apply
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.pods import pod_of
from cluster_forge.ports.cluster import ClusterReader, Query
from cluster_forge.ports.rendering import YamlReader

COMPONENT: Final = "app.kubernetes.io/component"
"""The label of its workloads, in Argo CD's own manifests and in its chart."""
REPO_SERVER: Final = "repo-server"
_LABELS: Final = f"app.kubernetes.io/part-of=argocd,{COMPONENT}={REPO_SERVER}"


@dataclass(frozen=True, slots=True)
class ArgoCdPlace:
    """An Argo CD that runs in the cluster; the Git server runs from its ``image``."""

    namespace: str
    image: str


def found(plan: DeployPlan, cluster: ClusterReader, namespace: str = "") -> DeployPlan:
    """The plan with the namespace of the Argo CD that is in the cluster, if that one is to deliver the stack.

    Raises:
        PreflightError: as `place`.
    """
    if plan.argocd is None or plan.delivery is not Delivery.EXISTING:
        return plan
    chosen = place(plan.argocd, cluster, namespace)
    return replace(plan, argocd=replace(plan.argocd, namespace=chosen.namespace))


def found_if_any(plan: DeployPlan, cluster: ClusterReader, namespace: str = "") -> DeployPlan:
    """The same; the plan as it is where there is none: the check `preflight.engine` says so, together with all others."""
    try:
        return found(plan, cluster, namespace)
    except PreflightError:
        return plan


def place(argocd: ArgoCdPlan, cluster: ClusterReader, namespace: str = "") -> ArgoCdPlace:
    """The Argo CD of the cluster: the one in ``namespace``; without it, of several the one that has the root Application of the
    stack already, or the one in the namespace ``argocd``.

    Raises:
        PreflightError: if there is none, or none there, or several and no reason for one.
    """
    places = sorted(_places(cluster), key=lambda place: place.namespace)
    chosen = (
        [place for place in places if place.namespace == namespace] if namespace else _likely(places, argocd, cluster)
    )
    if chosen:
        return chosen[0]
    if places:
        names = ", ".join(place.namespace for place in places)
        wanted = f"none in {namespace}" if namespace else "and the stack does not say which"
        raise PreflightError(
            f"the cluster has Argo CD in the namespaces {names}, {wanted}",
            fix="name one of them: `cluster-forge deploy --namespace NAME`",
        )
    raise PreflightError(
        "gitops: `install: false`, and no Argo CD runs in the cluster (no repo-server with the label "
        "app.kubernetes.io/part-of=argocd)",
        fix="install Argo CD, or write `install: true` and cast again: the stack then brings it",
    )


def project_step(argocd: ArgoCdPlan, reader: YamlReader) -> Iterator[Apply]:
    """The step that applies the AppProject, which permits what this stack has; an older plan has none."""
    if argocd.project:
        bodies = (reader.read(document.decode()) for document in argocd.project.documents)
        placed = rendered(project.in_namespace(body, argocd.namespace) for body in bodies)
        yield replace(argocd.project, documents=placed)


def root_step(plan: DeployPlan, argocd: ArgoCdPlan, reader: YamlReader) -> Apply:
    """The step that applies the root Application, in the namespace of the cluster's Argo CD where the stack has none."""
    documents = argocd.sync.documents
    if plan.delivery is Delivery.EXISTING:
        roots = (reader.read(document.decode()) for document in documents)
        documents = rendered(applications.in_namespace(root, argocd.namespace) for root in roots)
    return Apply(file=argocd.sync.file, documents=documents)


def is_there(argocd: ArgoCdPlan, cluster: ClusterReader) -> bool:
    """Whether an Argo CD runs where the plan has it."""
    return any(place.namespace == argocd.namespace for place in _places(cluster))


def _likely(places: Sequence[ArgoCdPlace], argocd: ArgoCdPlan, cluster: ClusterReader) -> Sequence[ArgoCdPlace]:
    if len(places) <= 1:
        return places
    root = argocd.sync.name
    delivering = [place for place in places if cluster.get(engine.application_id(root, place.namespace))]
    return delivering or [place for place in places if place.namespace == engine.NAMESPACE]


def _places(cluster: ClusterReader) -> Iterator[ArgoCdPlace]:
    for kind in ("Deployment", "StatefulSet"):
        for body in cluster.list(Query(group="apps", kind=kind, labels=_LABELS)).items:
            yield ArgoCdPlace(namespace=body["metadata"]["namespace"], image=str(container(body).get("image", "")))


def container(workload: Body) -> Mapping[str, Any]:
    """The container of a workload of Argo CD: the first one of its Pods."""
    return mapping(next(iter((pod_of(workload) or {}).get("containers") or ()), {}))
