"""The engine is paused, or does not run: a deployment would wait for what it does not look at.

A pause is a decision of another user, so it is not lifted here. Sources: Argo CD, "Skip Application Reconcile", and the same
annotation of a cluster's Secret, which Argo CD knows from 3.4 on and which is named for an older one, too; Flux, ``spec.suspend``
of a Kustomization and of its source; ``replicas: 0`` of a controller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.foundation.untyped import mapping
from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import application_state, applications
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.parts import CLUSTER_LABEL
from cluster_forge.gitops.plan import ArgoCdPlan, FluxPlan
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Query
from cluster_forge.stages.deliver import engine_controllers
from cluster_forge.stages.deliver.argocd import known_clusters
from cluster_forge.stages.deliver.argocd import operations as argocd_operations
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of

LOOKS_AT: Final = "whether the GitOps engine is paused or down"
IS_NEEDED: Final = False
CODES: Final[Mapping[str, str]] = {
    "engine-paused": "The engine is paused: an Application, a cluster, a Kustomization, its source or a controller.",
    "engine-down": "A controller of the engine has no ready Pod: a deployment waits until it has one.",
}
CODE: Final = "engine-paused"
DOWN: Final = "engine-down"


def problems(situation: Situation) -> Iterator[Problem]:
    plan = situation.plan
    if plan.argocd:
        if situation.served.find(engine.GROUP, "Application"):
            yield from _of_applications(situation, plan.argocd)
        if plan.delivery is Delivery.EXISTING:
            yield from _of_controllers(situation, engine_controllers.ARGOCD, plan.argocd.namespace)
            yield from _of_clusters(situation, plan.argocd)
    if plan.flux:
        yield from _of_kustomizations(situation, plan.flux)
        if plan.delivery is Delivery.EXISTING:
            yield from _of_controllers(situation, engine_controllers.FLUX)


def _of_applications(situation: Situation, argocd: ArgoCdPlan) -> Iterator[Problem]:
    """Those of the stack; in a central Argo CD those of the clusters that it is to deliver to."""
    for body in argocd_operations.listed(argocd, situation.cluster):
        is_elsewhere = situation.central and labels_of(body).get(CLUSTER_LABEL) not in situation.central
        if application_state.is_paused(body) and not is_elsewhere:
            pause = application_state.PAUSE
            yield _problem(body, f"its annotation {pause} is true", f"annotate {_typed(body)} {pause}-")


def _of_clusters(situation: Situation, argocd: ArgoCdPlan) -> Iterator[Problem]:
    """The Secrets of the clusters that Argo CD is to deliver to; its own cluster need not have one."""
    for known in known_clusters.listed(argocd.namespace, situation.cluster):
        is_meant = known.name in situation.central if situation.central else known.server == applications.CLUSTER
        if known.is_paused and is_meant:
            pause = application_state.PAUSE
            yield _problem(known.secret, f"its annotation {pause} is true", f"annotate {_typed(known.secret)} {pause}-")


def _of_kustomizations(situation: Situation, flux: FluxPlan) -> Iterator[Problem]:
    """The root and the components, and the source of all of them."""
    wanted = {flux.root, *flux.kustomizations}
    bodies: list[Body] = []
    if situation.served.find(flux.source.group, flux.source.kind) and (source := situation.cluster.get(flux.source)):
        bodies.append(source)
    if situation.served.find(engine.FLUX_GROUP, "Kustomization"):
        query = Query(group=engine.FLUX_GROUP, kind="Kustomization", namespace=flux.namespace)
        bodies += [body for body in situation.cluster.list(query).items if body["metadata"]["name"] in wanted]
    for body in bodies:
        if mapping(body.get("spec")).get("suspend") is True:
            change = """--type merge -p '{"spec":{"suspend":false}}'"""
            yield _problem(body, "its spec.suspend is true", f"patch {_typed(body)} {change}")


def _of_controllers(situation: Situation, engine_name: str, namespace: str = "") -> Iterator[Problem]:
    """Those that are scaled to zero; one that has no ready Pod for another reason may come back by itself."""
    for body in engine_controllers.listed(engine_name, situation.cluster, namespace):
        if mapping(body.get("spec")).get("replicas") == 0:
            yield _problem(body, "it is scaled to zero", f"scale {_typed(body)} --replicas=1")
        elif engine_controllers.is_down(body):
            yield Problem(
                code=DOWN,
                message="it has no ready Pod, and a deployment waits until it has one",
                where=str(ObjectId.of(body)),
                fix=f"see why: kubectl describe {_typed(body)}",
                severity=Severity.WARNING,
            )


def _problem(body: Body, how: str, command: str) -> Problem:
    return Problem(
        code=CODE,
        message=f"it is paused, and a deployment would wait for it: {how}",
        where=str(ObjectId.of(body)),
        fix=f"ask who has paused it, then: kubectl {command}",
        option=f"--allow {CODE}",
    )


def _typed(body: Body) -> str:
    """The object as kubectl takes it: ``applications.argoproj.io`` is what ``application`` alone may not be."""
    group = str(body["apiVersion"]).rpartition("/")[0]
    kind = f"{body['kind']}.{group}".lower() if group else body["kind"].lower()
    return f"{kind} {body['metadata']['name']} -n {body['metadata']['namespace']}"
