"""deploy: a cast stack into a cluster: checks, the claim of its objects, delivery by its engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cluster_forge.foundation.errors import raise_all
from cluster_forge.gitops import owners
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.part import Part
from cluster_forge.stages.deliver import direct, ownership, secrets
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.given_secrets import NONE, GivenSecrets
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.preflight import registry as preflight
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation
from cluster_forge.stages.deliver.results import ComponentResult
from cluster_forge.stages.deliver.tools import DeliverTools


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What is deployed, and how. ``parts`` have the documents of all objects, where another client applies them.

    ``given`` Secrets are made after the claim. ``run`` names this deployment in the cluster: HOST/PROCESS/TIME, as `deploy.sh` writes it.
    """

    deployment: Deployment
    options: DeployOptions
    run: str
    parts: Sequence[Part] = ()
    given: GivenSecrets = NONE


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
        ClusterError, RefusedError: if the cluster does not answer, or does not let itself be looked at.
    """
    options = replace(request.options, tries_all=request.options.tries_all or request.options.is_trial)
    plan = request.deployment.plan
    situation = Situation(plan=plan, tools=tools, options=options, parts=request.parts, given=request.given)
    problems = preflight.check(situation)
    raise_all(problem.error() for problem in problems if problem.is_error)
    if options.is_trial:
        return DeployResult(warnings=problems)
    verdict = owners.judge(situation.owner_facts)
    ownership.claim(plan, verdict, tools, run=request.run)
    secrets.make(plan.secrets, request.given, tools.cluster)
    return DeployResult(components=_delivered(request.deployment, tools, options), warnings=problems)


def _delivered(deployment: Deployment, tools: DeliverTools, options: DeployOptions) -> tuple[ComponentResult, ...]:
    match deployment.plan.delivery:
        case Delivery.DIRECT:
            return direct.deliver(deployment, tools, options)
    raise NotImplementedError(deployment.plan.delivery)
