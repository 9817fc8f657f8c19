"""The components of a stack that Argo CD or Flux delivers, as the engine itself says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from cluster_forge.foundation.untyped import mapping
from cluster_forge.gitops import engine
from cluster_forge.gitops.argocd import application_state
from cluster_forge.gitops.argocd.application_state import ApplicationState
from cluster_forge.gitops.flux import kustomization_state
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.plan import DeployPlan, FluxPlan
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Query
from cluster_forge.stages.deliver.argocd import causes
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.flux import causes as flux_causes
from cluster_forge.stages.deliver.look import component_status
from cluster_forge.stages.deliver.look.component_status import ComponentStatus, Condition, Sync
from cluster_forge.stages.deliver.tools import DeliverTools

_CONDITIONS: Final = {"Suspended": Condition.PROGRESSING, **{condition.value: condition for condition in Condition}}


def of_argocd(plan: DeployPlan, tools: DeliverTools) -> Iterator[ComponentStatus]:
    """Each component by its Application.

    Raises:
        PreflightError: if the cluster has no Argo CD that is to deliver the stack.
        ClusterError, RefusedError: if the cluster does not say.
    """
    argocd = argocd_place.found(plan, tools.cluster).argocd
    assert argocd is not None, "a stack that Argo CD delivers says how"
    query = Query(
        group=engine.GROUP, kind="Application", namespace=argocd.namespace, labels=f"{STACK_LABEL}={plan.stack}"
    )
    bodies = {body["metadata"]["name"]: body for body in tools.cluster.list(query).items}
    root = bodies.get(argocd.sync.name)
    delayed = _of_root(application_state.of(root, argocd.sync.revision)) if root else []
    for part in plan.parts:
        if part.objects:
            name = argocd.application(plan.stack, part.name)
            body = bodies.get(name)
            if body is None:
                message = f"there is no Application {name} in {argocd.namespace}"
                yield _status(part, Sync.OUT_OF_SYNC, Condition.MISSING, [*delayed, message])
            else:
                state = application_state.of(body, argocd.sync.revision, is_narrowed=bool(plan.narrowed))
                looked_at = () if argocd.cluster else state.unwell[: component_status.MOST]
                yield _application(part, body, replace(state, unwell=looked_at), tools)


def _of_root(state: ApplicationState) -> list[str]:
    """Why the root Application has not made the others, as Argo CD says it."""
    if state.is_ready:
        return []
    return [f"Application {state.name}: {text}" for text in state.messages[: component_status.MOST] or (state.lack,)]


def _application(part: Part, body: Body, state: ApplicationState, tools: DeliverTools) -> ComponentStatus:
    """``unwell`` of the state are objects of this cluster."""
    if state.is_ready:
        return _status(part, Sync.SYNCED, Condition.HEALTHY)
    condition = _CONDITIONS.get(_word(body, "health"), Condition.UNKNOWN)
    is_synced = state.is_compared and _word(body, "sync") == Sync.SYNCED
    messages = causes.of(state, tools.cluster) or (f"Application {state.name}: {state.lack}",)
    sync = Sync.SYNCED if is_synced else Sync.OUT_OF_SYNC
    return _status(part, sync, condition, component_status.few(messages, "message"))


def of_flux(plan: DeployPlan, tools: DeliverTools) -> Iterator[ComponentStatus]:
    """Each component by its Kustomizations.

    Raises:
        ClusterError, RefusedError: if the cluster does not say.
    """
    flux = plan.flux
    assert flux is not None, "a stack that Flux delivers says how"
    query = Query(group=engine.FLUX_GROUP, kind="Kustomization", namespace=flux.namespace)
    bodies = {body["metadata"]["name"]: body for body in tools.cluster.list(query).items}
    why = _unreadable(flux, tools) or _not_applied(flux, bodies.get(flux.root))
    for part in plan.parts:
        names = [name for name, component in flux.kustomizations.items() if component == part.name]
        if names:
            there = [bodies[name] for name in names if name in bodies]
            missing = [f"there is no Kustomization {name} in {flux.namespace}" for name in names if name not in bodies]
            missing = [*why, *missing] if missing else []
            yield _kustomizations(part, there, missing, flux.revision, tools)


def _unreadable(flux: FluxPlan, tools: DeliverTools) -> list[str]:
    """What Flux says of the source that it cannot read: without it there are no Kustomizations."""
    body = tools.cluster.get(flux.source)
    state = kustomization_state.of(body, flux.revision) if body else None
    return [f"{flux.source.kind} {state.name}: {state.message}"] if state and state.message else []


def _not_applied(flux: FluxPlan, root: Body | None) -> list[str]:
    """What Flux says of the root that has not made the others."""
    state = kustomization_state.of(root, flux.revision) if root else None
    return [f"Kustomization {state.name}: {state.message or state.lack}"] if state and not state.is_ready else []


def _kustomizations(
    part: Part, bodies: Sequence[Body], missing: Sequence[str], revision: str, tools: DeliverTools
) -> ComponentStatus:
    states = [kustomization_state.of(body, revision) for body in bodies]
    unready = [state for state in states if not state.is_ready]
    conditions = [Condition.DEGRADED if state.has_failed else Condition.PROGRESSING for state in unready]
    applied = (str(mapping(body.get("status")).get("lastAppliedRevision") or "") for body in bodies)
    is_synced = not missing and all(text.startswith(f"{revision}@") for text in applied)
    is_tried = any(state.has_failed or state.is_at_work for state in unready)
    objects = flux_causes.of(part, tools.cluster) if is_tried else ()
    reasons = [*map(str, objects), *(f"Kustomization {state.name}: {state.message or state.lack}" for state in unready)]
    return _status(
        part,
        Sync.SYNCED if is_synced else Sync.OUT_OF_SYNC,
        component_status.worst([*conditions, *([Condition.MISSING] if missing else [])]),
        (*component_status.few(missing, "Kustomization"), *component_status.few(reasons, "Kustomization")),
    )


def _word(body: Body, what: str) -> str:
    return str(mapping(mapping(body.get("status")).get(what)).get("status") or "")


def _status(part: Part, sync: Sync, condition: Condition, messages: Iterable[str] = ()) -> ComponentStatus:
    return ComponentStatus(
        name=part.name, version=part.version, deployed="", sync=sync, condition=condition, messages=tuple(messages)
    )
