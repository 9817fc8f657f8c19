"""The cluster has no other environment of the stack, and a narrowed stack takes nothing from a GitOps engine (ADR 0022)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.gitops import engine, git_server, ownership, removal
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of, name_of

LOOKS_AT: Final = "which environment is deployed"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "other-environment": "Another environment of the stack is deployed there (`--force-environment`).",
    "narrowed-stack": "The GitOps engine delivers more of the stack than the selection has.",
}

_ENGINES: Final = {engine.GROUP: "Argo CD", engine.FLUX_GROUP: "Flux"}


def problems(situation: Situation) -> Iterator[Problem]:
    yield from _of_environment(situation)
    if situation.plan.narrowed:
        yield from _of_narrowed(situation)


def _of_environment(situation: Situation) -> Iterator[Problem]:
    plan = situation.plan
    name = ownership.claim_name(plan.stack)
    claim = situation.cluster.get(ObjectId(group="", kind="ConfigMap", namespace=git_server.NAMESPACE, name=name))
    if claim is None:
        return
    there = labels_of(claim).get(ownership.ENVIRONMENT_LABEL, "")
    if there != plan.environment:
        yield Problem(
            code="other-environment",
            message=f"the stack {plan.stack} is deployed here from environment {there or '(none)'}, "
            f"and this is environment {plan.environment or '(none)'}",
            where=str(situation.cluster.about()),
            fix="choose the other cluster (--context); two environments in one cluster need names of their own "
            "(`name:` in the environment)",
            option="--force-environment",
        )


def _of_narrowed(situation: Situation) -> Iterator[Problem]:
    """An engine reads all components of a stack from one repository, which a narrowed stack would replace."""
    plan = situation.plan
    own = {
        *(plan.argocd.applications if plan.argocd else ()),
        *((plan.flux.root, *plan.flux.kustomizations) if plan.flux else ()),
    }
    for group, kind in removal.APPLIERS:
        there = situation.listed(group, kind, labels=f"{STACK_LABEL}={plan.stack}")
        others = [name for name in map(name_of, there) if name not in own]
        if others:
            yield Problem(
                code="narrowed-stack",
                message=f"the stack is narrowed, and {_ENGINES[group]} delivers more of it here: {', '.join(others)}",
                where=f"{kind}/{others[0]}",
                fix="deploy the whole stack, or a selection with all of these: this one would take the repository and the "
                f"root {kind} away from them",
            )
