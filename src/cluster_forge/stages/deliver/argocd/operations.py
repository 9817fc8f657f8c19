"""What is asked of Argo CD beside applying Applications: to compare again, to end an operation, to begin one again."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import application_state
from cluster_forge.gitops.argocd.application_state import ApplicationState
from cluster_forge.gitops.plan import ArgoCdPlan, DeployPlan
from cluster_forge.gitops.steps import FIELD_MANAGER
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Cluster, Patch, Query
from cluster_forge.stages.deliver.tools import DeliverTools

REFRESH = "argocd.argoproj.io/refresh"
"""Argo CD compares such an Application at once, and takes the annotation away: ``normal``, or ``hard`` past its caches."""


def listed(argocd: ArgoCdPlan, cluster: Cluster) -> tuple[Body, ...]:
    """The Applications of the stack that are in the cluster."""
    query = Query(group=engine.GROUP, kind="Application", namespace=argocd.namespace, labels=argocd.selector)
    return cluster.list(query).items


def are_ready(argocd: ArgoCdPlan, states: Mapping[str, ApplicationState]) -> bool:
    """Whether all Applications of the stack are."""
    return all(name in states and states[name].is_ready for name in argocd.applications)


def refresh(name: str, namespace: str, cluster: Cluster, *, is_hard: bool = False) -> None:
    """Ask Argo CD to compare an Application now, instead of at its next reconciliation (180 s)."""
    kind = "hard" if is_hard else "normal"
    patch(name, namespace, {"metadata": {"annotations": {REFRESH: kind}}}, cluster)


def settle(plan: DeployPlan, argocd: ArgoCdPlan, tools: DeliverTools) -> Mapping[str, ApplicationState]:
    """Let the revision in: Argo CD compares a new one only after the operation on the old one, and does not repeat one
    whose sync has failed for good. The states of the Applications before, by name.
    """
    revision, states = argocd.sync.revision, {}
    for body in listed(argocd, tools.cluster):
        state = application_state.of(body, revision, is_narrowed=bool(plan.narrowed))
        states[state.name] = state
        if state.has_failed:
            options = (body["spec"].get("syncPolicy") or {}).get("syncOptions") or []
            sync = {"prune": not plan.narrowed, "revision": revision, "syncOptions": options}
            operation = {"initiatedBy": {"username": "cluster-forge"}, "sync": sync}
            patch(state.name, argocd.namespace, {"operation": operation}, tools.cluster)
        elif state.is_operating and not state.is_current:
            ended = {"status": {"operationState": {"phase": "Terminating"}}}
            patch(state.name, argocd.namespace, ended, tools.cluster)
    return states


def patch(name: str, namespace: str, change: Body, cluster: Cluster) -> None:
    """Change an Application; one that is gone meanwhile needs it no more."""
    try:
        cluster.patch(engine.application_id(name, namespace), change, Patch.MERGE, manager=FIELD_MANAGER)
    except RefusedError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
