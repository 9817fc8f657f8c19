"""Delivery through Flux: it is installed if the stack brings it, gets the source and the root Kustomization, and is awaited,
as `deploy.sh` does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from cluster_forge.foundation.errors import DeploymentError
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.gitops.flux import kustomizations
from cluster_forge.gitops.flux.kustomization_state import WAITS, KustomizationState
from cluster_forge.gitops.plan import ComponentPlan, DeployPlan, FluxPlan
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Cluster
from cluster_forge.stages.deliver import engine_controllers
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.engine_mending import EngineMending
from cluster_forge.stages.deliver.engine_steps import EngineSteps
from cluster_forge.stages.deliver.flux import causes
from cluster_forge.stages.deliver.flux.wait import KustomizationWait, reconcile
from cluster_forge.stages.deliver.options import STAGE, DeployOptions
from cluster_forge.stages.deliver.results import ComponentResult, State
from cluster_forge.stages.deliver.tools import DeliverTools
from cluster_forge.stages.deliver.trouble import Cause, Trouble

_ENGINE: Final = ComponentName("flux2")


def deliver(
    deployment: Deployment, tools: DeliverTools, options: DeployOptions, parts: Sequence[Part] = ()
) -> tuple[ComponentResult, ...]:
    """Hand the stack to Flux, and wait for it; the results in the order of the plan.

    ``parts`` are the components with the documents of their objects, where they are known: what the API server refuses Flux is
    mended.

    Raises:
        ForgeError, ExceptionGroup: if Flux cannot be installed, or refuses the source or the root.
        DeploymentError: if no component says why the root is not ready.
    """
    plan = deployment.plan
    flux = plan.flux
    assert flux is not None, "a stack that Flux delivers says how"
    tools.reporter.stage_started(STAGE, len(plan.components))
    with tools.workers.queue() as queue:
        steps = EngineSteps(plan, tools, options, queue)
        steps.run(_ENGINE, flux.install)
        steps.run(ComponentName(kustomizations.FOLDER), (flux.sync,))
        reconcile(flux.source, tools)
        wait = KustomizationWait(flux, tools, options, EngineMending(plan, parts, tools, options, queue))
        states = wait.run() if options.waits else None
    results = tuple(_result(plan, flux, component, states, tools.cluster) for component in plan.components)
    is_good = all(result.state.is_good for result in results)
    if wait.source_message and not is_good:
        results = _unread(plan, flux, wait.source_message)
    elif states is not None and is_good:
        _check_root(flux, states, wait.source_message, tools.cluster)
    elif states is not None:
        results = tuple(_explained(flux, states, results, tools.cluster))
    done = sum(result.state.is_good for result in results)
    tools.reporter.stage_finished(STAGE, f"{done} of {counted(len(results), 'component')} through Flux")
    return results


def _check_root(
    flux: FluxPlan, states: Mapping[str, KustomizationState], source_message: str, cluster: Cluster
) -> None:
    """Where no component has failed, the root is ready, too: a stack may have none, and the root may hold what they do not."""
    root = states.get(flux.root)
    if root and root.is_ready:
        return
    if source_message:
        raise _source_error(flux, source_message)
    raise _unapplied(flux, _lack(root), cluster)


def _source_error(flux: FluxPlan, message: str) -> DeploymentError:
    return DeploymentError(
        f"Flux cannot read the source: {message}",
        where=str(flux.source),
        fix="`cluster-forge push` (with --git to a Git repository) sends what was cast last to where Flux reads it; if "
        f"{flux.revision} is of before and gone there, push it again from a copy",
    )


def _unread(plan: DeployPlan, flux: FluxPlan, message: str) -> tuple[ComponentResult, ...]:
    """The results where Flux cannot read the source: what is there is of a revision before."""
    error = _source_error(flux, message)
    blocked = [
        ComponentResult(
            name=component.name,
            version=plan.version_of(component.name),
            state=State.BLOCKED,
            objects=component.objects,
            message="Flux cannot read the source",
        )
        for component in plan.components
    ]
    blocked[0] = replace(blocked[0], errors=(error,), message=str(error))  # said once
    return tuple(blocked)


def _explained(
    flux: FluxPlan, states: Mapping[str, KustomizationState], results: Sequence[ComponentResult], cluster: Cluster
) -> Iterator[ComponentResult]:
    """The results. Where some are blocked although none has failed, the first of them says why: what Flux says of the root, and
    which of its controllers do not run.
    """
    has_failed = any(result.state is State.FAILED for result in results)
    first = next((result for result in results if result.state is State.BLOCKED and not has_failed), None)
    for result in results:
        if result is not first:
            yield result
            continue
        error = _unapplied(flux, _lack(states.get(flux.root)) or result.message, cluster)
        yield replace(result, errors=(error,), message=str(error))


def _unapplied(flux: FluxPlan, lack: str, cluster: Cluster) -> DeploymentError:
    down = engine_controllers.lacks(engine_controllers.FLUX, cluster)
    return DeploymentError(
        f"Flux has not applied the stack: {'; '.join((lack, *down))}",
        where=f"Kustomization {flux.namespace}/{flux.root}",
        fix="fix the cause, and deploy again",
    )


def _lack(root: KustomizationState | None) -> str:
    if root is None:
        return "it is not there"
    return f"{root.reason}: {root.message}" if root.has_failed else root.lack


def _result(
    plan: DeployPlan,
    flux: FluxPlan,
    component: ComponentPlan,
    states: Mapping[str, KustomizationState] | None,
    cluster: Cluster,
) -> ComponentResult:
    """What became of a component: all its Kustomizations are ready, one has failed, or they wait for others."""
    result = ComponentResult(
        name=component.name,
        version=plan.version_of(component.name),
        state=State.APPLIED,
        objects=component.objects,
        changed=None,
    )
    if states is None:
        return result
    names = [name for name, owner in flux.kustomizations.items() if owner == component.name]
    lacking = [state for state in map(states.get, names) if state and not state.is_ready]
    if all(name in states for name in names) and not lacking:
        return replace(result, state=State.READY)
    failed = [state for state in lacking if state.has_failed or state.is_at_work]
    if not failed:
        return replace(result, state=State.BLOCKED, message=_blocked(lacking))
    part = next(part for part in plan.parts if part.name == component.name)
    unready = list(causes.of(part, cluster))
    errors = tuple(_error(flux, state, unready) for state in failed)
    return replace(
        result,
        state=State.FAILED,
        message="; ".join(map(str, errors)),
        errors=errors,
        trouble=unready[0].trouble if unready else Trouble(),
    )


def _error(flux: FluxPlan, state: KustomizationState, unready: Sequence[Cause]) -> DeploymentError:
    lacks = "; ".join(f"{cause.target}: {cause.lack}" for cause in unready)
    message = f"{state.reason}: {state.message}" if state.has_failed else "is not ready"
    return DeploymentError(
        f"{message}; {lacks}" if lacks else message,
        where=f"Kustomization {flux.namespace}/{state.name}",
        fix="fix the cause and deploy again; `cluster-forge status` shows it again",
    )


def _blocked(lacking: Sequence[KustomizationState]) -> str:
    waiting = next((state.message for state in lacking if state.reason == WAITS), "")
    return waiting or next((state.lack for state in lacking), "its Kustomization is not there: the root is not ready")
