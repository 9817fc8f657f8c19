"""Delivery through Argo CD: it is installed if the stack brings it, gets the repository and the root Application, and is
awaited, as `deploy.sh` does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from cluster_forge.foundation.errors import DeploymentError
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.gitops import git_server
from cluster_forge.gitops.argocd import applications
from cluster_forge.gitops.argocd import project as projects
from cluster_forge.gitops.argocd.application_state import ApplicationState
from cluster_forge.gitops.component_steps import rendered
from cluster_forge.gitops.owners import Verdict
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.gitops.plan import ArgoCdPlan, ComponentPlan, DeployPlan
from cluster_forge.gitops.steps import Apply, AwaitReady, Delete, FileStep
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Cluster, Query
from cluster_forge.stages.deliver import engine_controllers
from cluster_forge.stages.deliver.argocd import cluster_view, new_crds
from cluster_forge.stages.deliver.argocd import operations as argocd_operations
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.argocd.wait import ApplicationWait, Remedies
from cluster_forge.stages.deliver.cluster_records import claiming
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.engine_mending import EngineMending
from cluster_forge.stages.deliver.engine_steps import EngineSteps
from cluster_forge.stages.deliver.options import STAGE, DeployOptions
from cluster_forge.stages.deliver.results import ComponentResult, State
from cluster_forge.stages.deliver.tools import DeliverTools

_ENGINE: Final = ComponentName("argo-cd")
_SERVER: Final = ComponentName("git-server")
_PROJECT: Final = ComponentName("project")
_MANY: Final = 10
"""New CRDs from which on Argo CD sees a whole cluster sooner than it reads its schemas again for each one."""


def deliver(
    deployment: Deployment,
    verdict: Verdict,
    tools: DeliverTools,
    options: DeployOptions,
    parts: Sequence[Part] = (),
) -> tuple[ComponentResult, ...]:
    """Hand the stack to Argo CD, and wait for it; the results in the order of the plan.

    ``parts`` are the components with the documents of their objects, where they are known: their new CRDs come first, and what
    the API server refuses Argo CD is mended.

    Raises:
        ForgeError, ExceptionGroup: if Argo CD or its repository cannot be installed.
        DeploymentError: if no component says why the root Application is not ready.
    """
    plan = deployment.plan
    assert plan.argocd is not None, "a stack that Argo CD delivers says how"
    tools.reporter.stage_started(STAGE, len(plan.components))
    with tools.workers.queue() as queue:
        steps = EngineSteps(plan, tools, options, queue)
        is_there = argocd_place.is_there(plan.argocd, tools.cluster)
        added, since = new_crds.apply(plan, parts, tools, options, queue), tools.clock.monotonic()
        steps.run(_ENGINE, plan.argocd.install)
        steps.run(_SERVER, tuple(_repository(plan.argocd, tools)))
        _delete_former(plan.stack, plan.argocd, tools)
        claiming.take_over(plan, verdict, tools)
        steps.run(_PROJECT, tuple(_widened(plan.argocd, verdict, tools)))
        before = argocd_operations.settle(plan, plan.argocd, tools)
        is_forgotten = is_there and added >= _MANY
        if is_forgotten:
            cluster_view.forget_once_quiet(plan.argocd, tools, since)
        steps.run(ComponentName(applications.FOLDER), (argocd_place.root_step(plan, plan.argocd, tools.reader),))
        # Argo CD caches a repository for three minutes, and would not find the new tag in it.
        argocd_operations.refresh(plan.argocd.sync.name, plan.argocd.namespace, tools.cluster, is_hard=True)
        again = partial(cluster_view.forget, plan.argocd, tools) if is_forgotten else None
        mending = EngineMending(plan, parts, tools, options, queue)
        remedies = Remedies(
            look_again=again, mend=lambda state: mending.mend(state.name, state.messages, state.refused)
        )
        states = ApplicationWait(plan, plan.argocd, tools, options, remedies).run() if options.waits else None
        if states is not None and not plan.narrowed and argocd_operations.are_ready(plan.argocd, states):
            steps.run(_PROJECT, tuple(argocd_place.project_step(plan.argocd, tools.reader)))
    results = outcome(plan, plan.argocd, before, states, tools.cluster)
    done = sum(result.state.is_good for result in results)
    tools.reporter.stage_finished(STAGE, f"{done} of {counted(len(results), 'component')} through Argo CD")
    return results


def outcome(
    plan: DeployPlan,
    argocd: ArgoCdPlan,
    before: Mapping[str, ApplicationState],
    after: Mapping[str, ApplicationState] | None,
    cluster: Cluster,
) -> tuple[ComponentResult, ...]:
    """What became of the components, whose Applications were looked at before and after (None: nothing was awaited).

    Raises:
        DeploymentError: if no component says why the root Application is not ready.
    """
    results = tuple(_result(plan, component, before, after) for component in plan.components)
    if after is not None:
        _check_root(argocd, after, results, cluster)
    return results


def _repository(argocd: ArgoCdPlan, tools: DeliverTools) -> Iterator[FileStep]:
    """The repository and its server, which runs from the image of the cluster's Argo CD where the stack has none."""
    for step in argocd.repository:
        match step:
            case Apply(file=git_server.DEPLOYMENT_FILE) if not argocd.is_image_known:
                image = argocd_place.place(argocd, tools.cluster, argocd.namespace).image
                bodies = [tools.reader.read(document.decode()) for document in step.documents]
                yield replace(step, documents=rendered(git_server.with_image(body, image) for body in bodies))
            case Apply() | AwaitReady():
                yield step


def _delete_former(stack: str, argocd: ArgoCdPlan, tools: DeliverTools) -> None:
    """Delete the chunks of other commits, which nothing reads once the server is ready: only of this stack, in the namespace
    of the Git server, whatever a plan says that came from elsewhere.
    """
    for step in argocd.repository:
        if not isinstance(step, Delete):
            continue
        labels = f"{STACK_LABEL}={stack},{step.selector}"
        query = Query(group="", kind="ConfigMap", namespace=git_server.NAMESPACE, labels=labels, metadata_only=True)
        for body in tools.cluster.list(query).items:
            tools.cluster.delete(query.id_of(body))


def _widened(argocd: ArgoCdPlan, verdict: Verdict, tools: DeliverTools) -> Iterator[Apply]:
    """The AppProject, which also permits what it permits now, and what has left the stack and is not pruned yet."""
    for step in argocd_place.project_step(argocd, tools.reader):
        bodies = [tools.reader.read(document.decode()) for document in step.documents]
        more = projects.rights_of((*verdict.leaving, *verdict.staying))
        for body in bodies:
            more |= projects.rights(tools.cluster.get(ObjectId.of(body)) or {})
        yield replace(step, documents=rendered(projects.widened(body, more) for body in bodies))


def _check_root(
    argocd: ArgoCdPlan, states: Mapping[str, ApplicationState], results: Sequence[ComponentResult], cluster: Cluster
) -> None:
    """The root Application is ready, or a component has failed on the way. What else it waits for, as CRDs, is named, and the
    controllers of Argo CD that do not run.
    """
    root = states.get(argocd.sync.name)
    if (root and root.is_ready) or any(result.state is State.FAILED for result in results):
        return
    reasons = (root.lack, *root.messages) if root else ("it is not there",)
    others = [state for state in states.values() if state is not root and state.is_current and state.lack]
    late = (f"{state.name}: {'; '.join((state.lack, *state.messages))}" for state in others)
    down = engine_controllers.lacks(engine_controllers.ARGOCD, cluster, argocd.namespace)
    is_elsewhere = root is not None and root.is_unreadable and not argocd.repository
    raise DeploymentError(
        f"Argo CD has not applied the stack: {'; '.join((*reasons, *late, *down))}",
        where=f"Application {argocd.namespace}/{argocd.sync.name}",
        fix=f"`cluster-forge push` (with --git to a Git repository) sends what was cast last to where Argo CD reads it; if "
        f"{argocd.sync.revision} is of before and gone there, push it again from a copy"
        if is_elsewhere
        else "fix the cause, and deploy again",
    )


def _result(
    plan: DeployPlan,
    component: ComponentPlan,
    before: Mapping[str, ApplicationState],
    after: Mapping[str, ApplicationState] | None,
) -> ComponentResult:
    assert plan.argocd is not None, "a stack that Argo CD delivers says how"
    name = plan.argocd.application(plan.stack, component.name)
    former, state = before.get(name), (after or {}).get(name)
    is_unchanged = former is not None and former.is_ready
    result = ComponentResult(
        name=component.name,
        version=plan.version_of(component.name),
        state=State.UNCHANGED if is_unchanged else State.APPLIED if after is None else State.READY,
        objects=component.objects,
        changed=0 if is_unchanged else component.objects,
    )
    if after is None or (state and state.is_ready):
        return result
    result = replace(result, changed=0)
    if state is None or not state.is_current:
        lack = state.lack if state else "its Application is not there"
        return replace(result, state=State.BLOCKED, message=f"{lack}: an earlier wave is not ready")
    message = "; ".join((state.lack, *state.messages))
    error = DeploymentError(
        message,
        where=f"Application {plan.argocd.namespace}/{name}",
        fix="fix the cause, and deploy again",
    )
    return replace(result, state=State.FAILED, message=message, errors=(error,))
