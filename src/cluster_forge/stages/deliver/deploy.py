"""deploy: a cast stack into a cluster: checks, the claim of its objects, delivery by its engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from cluster_forge.foundation.errors import ForgeError, RefusedError, expected, raise_all
from cluster_forge.gitops import git_server
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.gitops.owners import Verdict
from cluster_forge.gitops.release import Result
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import ClusterWriter
from cluster_forge.stages.deliver import argocd, argocd_place, direct, lease, ownership, releases
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight import registry as preflight
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation
from cluster_forge.stages.deliver.results import ComponentResult
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What is deployed, and how. ``parts`` have the documents of all objects, where another client applies them.

    ``run`` names this deployment in the cluster: HOST/PROCESS/TIME, as `deploy.sh` writes it.
    """

    deployment: Deployment
    options: DeployOptions
    run: str
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployResult:
    """What became of each component (none in a dry run), and what the checks found that stopped nothing."""

    components: tuple[ComponentResult, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def is_good(self) -> bool:
        return all(component.state.is_good for component in self.components)


def deploy(request: DeployRequest, tools: DeliverTools) -> DeployResult:
    """Check, claim and deliver.

    Raises:
        PreflightError, ExceptionGroup: for everything that keeps the cluster from running the stack; nothing was changed.
        BusyError: if another deployment of the stack is running.
        ClusterError, RefusedError: if the cluster does not answer, or does not let itself be looked at.
    """
    options = replace(request.options, tries_all=request.options.tries_all or request.options.is_trial)
    plan = argocd_place.found(request.deployment.plan, tools.cluster)
    request = replace(request, deployment=replace(request.deployment, plan=plan))
    situation = Situation(plan=plan, tools=tools, options=options, parts=request.parts)
    problems = preflight.check(situation)
    raise_all(problem.error() for problem in problems if problem.is_error)
    if options.is_trial:
        return DeployResult(warnings=problems)
    _create_namespace(tools.cluster)
    with lease.held(plan.stack, tools, run=request.run):
        ownership.claim(plan, situation.verdict, tools, run=request.run)
        return DeployResult(components=_released(request, situation.verdict, tools, options), warnings=problems)


def _create_namespace(cluster: ClusterWriter) -> None:
    """Where the lease, the claim and the releases of all stacks are."""
    try:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": git_server.NAMESPACE}})
    except RefusedError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise


def _released(
    request: DeployRequest, verdict: Verdict, tools: DeliverTools, options: DeployOptions
) -> tuple[ComponentResult, ...]:
    """Deliver, and keep in the cluster what was delivered and with which result."""
    release = releases.begin(request.deployment, tools, run=request.run)
    try:
        components = _delivered(request.deployment, verdict, tools, options)
    except (ForgeError, ExceptionGroup) as error:
        releases.end(release, Result.FAILED, tools, message="; ".join(map(str, expected(error))))
        raise
    failed = [f"{component.name}: {component.message}" for component in components if not component.state.is_good]
    releases.end(release, Result.FAILED if failed else Result.DEPLOYED, tools, message="; ".join(failed))
    return components


def _delivered(
    deployment: Deployment, verdict: Verdict, tools: DeliverTools, options: DeployOptions
) -> tuple[ComponentResult, ...]:
    match deployment.plan.delivery:
        case Delivery.DIRECT:
            return direct.deliver(deployment, tools, options)
        case Delivery.INSTALL | Delivery.EXISTING:
            return argocd.deliver(deployment, verdict, tools, options)
