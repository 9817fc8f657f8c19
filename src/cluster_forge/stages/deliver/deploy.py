"""deploy: a cast stack into a cluster: checks, the claim of its objects, delivery by its engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cluster_forge.foundation.error_groups import expected, raise_all
from cluster_forge.foundation.errors import DeploymentError, ForgeError, RefusedError, ReleaseError
from cluster_forge.gitops import git_server
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.part import Part
from cluster_forge.stages.deliver import creation, obstacles, results, rollback
from cluster_forge.stages.deliver.argocd import delivery as argocd
from cluster_forge.stages.deliver.argocd import place as argocd_place
from cluster_forge.stages.deliver.cluster_records import claiming, lease, release_run, releases
from cluster_forge.stages.deliver.cluster_records.leased_cluster import LeasedCluster
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.direct import delivery as direct
from cluster_forge.stages.deliver.flux import delivery as flux
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight import registry as preflight
from cluster_forge.stages.deliver.preflight import terminating
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation
from cluster_forge.stages.deliver.removal import pruning
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.results import ComponentResult
from cluster_forge.stages.deliver.secrets import expected as secrets
from cluster_forge.stages.deliver.secrets.given import NONE, GivenSecrets
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What is deployed, and how. ``parts`` have the documents of all objects, where another client applies them.

    ``given`` Secrets are made after the claim. ``run`` names this deployment in the cluster: HOST/PROCESS/TIME, as
    `deploy.sh` writes it; ``cause`` says why it is made, if not for its own sake.
    """

    deployment: Deployment
    options: DeployOptions
    run: str
    cause: str = ""
    parts: Sequence[Part] = ()
    given: GivenSecrets = NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployResult:
    """What became of each component, and of what left the stack; nothing in a dry run.

    ``release`` is the number of the release, ``former`` of the last good one before it, ``back`` of the one that an atomic
    deployment has gone back to, 0 where there is none; ``back_errors`` say why it could not. ``warnings`` is what the checks
    found that stopped nothing.
    """

    components: tuple[ComponentResult, ...] = ()
    pruned: Deletion = field(default_factory=Deletion)
    release: int = 0
    former: int = 0
    back: int = 0
    back_errors: tuple[ForgeError, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def is_good(self) -> bool:
        return all(component.state.is_good for component in self.components)


def deploy(request: DeployRequest, tools: DeliverTools) -> DeployResult:
    """Check, claim, deliver, and prune what left the stack. An atomic deployment that fails goes back by itself.

    Raises:
        PreflightError, ExceptionGroup: for everything that keeps the cluster from running the stack; nothing was changed.
        BusyError: if another deployment of the stack is running, or has taken the lease over from this one.
        ClusterError, RefusedError: if the cluster does not answer, or does not let itself be looked at.
        DeploymentError: if an engine does not apply the stack, or what left it does not go; of an atomic deployment with
            what became of the way back.
    """
    try:
        done = _deployed(request, tools)
    except (DeploymentError, RefusedError, ExceptionGroup) as error:
        if request.options.is_atomic:
            raise_all((*expected(error), *_way_back(request, tools)))
        raise
    if done.is_good or not request.options.is_atomic:
        return done
    try:
        number = _gone_back(request, tools)
        nothing = () if number else (ReleaseError("there is no good release before this one: what was applied stays"),)
        return replace(done, back=number, back_errors=nothing)
    except (ForgeError, ExceptionGroup) as error:
        return replace(done, back_errors=tuple(expected(error)))


def _way_back(request: DeployRequest, tools: DeliverTools) -> list[ForgeError]:
    """Go back after a deployment that has ended with an error; what became of it. Nothing if it had not begun, or has nothing to
    go back to.
    """
    try:
        number = _gone_back(request, tools)
    except (ForgeError, ExceptionGroup) as error:
        return expected(error)
    gone = DeploymentError(
        f"the stack has gone back to release {number}", fix="mend what is shown above, and deploy again"
    )
    return [gone] if number else []


def _gone_back(request: DeployRequest, tools: DeliverTools) -> int:
    """Deploy the last good release again; its number, 0 if there is none.

    Raises:
        DeploymentError: if it cannot be deployed any more either.
        ReleaseError, ExceptionGroup: if going back would lose data: the stack stays as the failure left it.
    """

    def again(deployment: Deployment, cause: str) -> DeployResult:
        # What the failed version has brought may hold data already: the user has not asked to lose that. What it has begun to
        # delete is not waited for: all else goes back.
        allowed = request.options.allowed | {terminating.TERMINATING_OBJECT}
        options = replace(
            request.options, is_atomic=False, prune_data=False, recreate=False, force_version=True, allowed=allowed
        )
        return deploy(
            replace(request, deployment=deployment, options=options, cause=cause, parts=(), given=NONE), tools
        )

    gone = rollback.after_failure(request.deployment.name, request.run, tools, again)
    if gone is None:
        return 0
    release, done = gone
    if not done.is_good:
        raise DeploymentError(
            f"release {release.number} could not be deployed again: {results.reasons(done.components)}"
        )
    return release.number


def _deployed(request: DeployRequest, tools: DeliverTools) -> DeployResult:
    options = replace(request.options, tries_all=request.options.tries_all or request.options.is_trial)
    plan = argocd_place.found_if_any(request.deployment.plan, tools.cluster, options.namespace)
    request = replace(request, deployment=replace(request.deployment, plan=plan), options=options)
    situation = Situation(plan=plan, tools=tools, options=options, parts=request.parts, given=request.given)
    problems = preflight.check(situation)
    raise_all(problem.error() for problem in problems if problem.is_error)
    if options.is_trial:
        return DeployResult(warnings=problems)
    creation.create_namespace(git_server.NAMESPACE, tools.cluster)  # of the lease, the claim and the releases
    if request.parts:  # an engine applies them, and the release would have nothing of them
        kept = obstacles.with_deciding_fields(request.deployment, request.parts)
        request = replace(request, deployment=kept)
    with lease.held(plan.stack, tools, run=request.run) as held:
        tools = replace(tools, cluster=LeasedCluster(tools.cluster, held))
        claiming.claim(plan, situation.verdict, tools, run=request.run)
        secrets.make(plan.secrets, request.given, tools.cluster)
        return replace(_released(request, situation, tools), warnings=problems)


def _released(request: DeployRequest, situation: Situation, tools: DeliverTools) -> DeployResult:
    """Deliver, and keep in the cluster what was delivered and with which result."""
    begun = releases.begin(request.deployment, tools, run=request.run, cause=request.cause)
    done = release_run.recorded(
        begun.release,
        tools,
        lambda: _delivered(request, situation, tools),
        lambda done: results.reasons(done.components),
    )
    return replace(done, release=begun.release.number, former=begun.former)


def _delivered(request: DeployRequest, situation: Situation, tools: DeliverTools) -> DeployResult:
    deployment, options = request.deployment, request.options
    components = _components(request, situation, tools)
    done = DeployResult(components=components)
    if not done.is_good:
        return done
    pruned = pruning.prune(deployment.plan, tools, timeout=options.timeout, prune_data=options.prune_data)
    return replace(done, pruned=pruned)


def _components(request: DeployRequest, situation: Situation, tools: DeliverTools) -> tuple[ComponentResult, ...]:
    deployment, options = request.deployment, request.options
    if deployment.plan.flux:
        return flux.deliver(deployment, tools, options, request.parts)
    match deployment.plan.delivery:
        case Delivery.DIRECT:
            return direct.deliver(deployment, tools, options, situation.owner_facts)
        case Delivery.INSTALL | Delivery.EXISTING:
            return argocd.deliver(deployment, situation.verdict, tools, options, request.parts)
