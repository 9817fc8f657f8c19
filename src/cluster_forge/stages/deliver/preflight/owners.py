"""No object of the stack belongs to other stacks, releases or people (ADR 0018)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.gitops import engine
from cluster_forge.gitops.parts import STACK_LABEL
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, name_of

LOOKS_AT: Final = "whose the objects are"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "foreign-object": "An object belongs to other stacks, releases or people (`--adopt`, unless its owner is still at work).",
}
CODE: Final = "foreign-object"


def problems(situation: Situation) -> Iterator[Problem]:
    yield from _of_flux(situation)
    argocd = situation.plan.argocd
    namespace = argocd.namespace if argocd else engine.NAMESPACE
    for foreign in situation.verdict.foreign:
        if foreign.is_at_work:
            yield Problem(
                code=CODE,
                message=f"it belongs to {foreign.owner}, which is still at work",
                where=foreign.subject,
                fix="leave it out of one of the two, or end the other Application and keep its objects (its root first; "
                "remove metadata.finalizers before): "
                f"kubectl delete applications.argoproj.io NAME -n {namespace} --cascade=orphan",
            )
        else:
            yield Problem(
                code=CODE,
                message=f"it is in the cluster, and belongs to {foreign.owner}",
                where=foreign.subject,
                fix="leave it out of the stack",
                option="--adopt",
            )


def _of_flux(situation: Situation) -> Iterator[Problem]:
    """Kustomizations of this stack where Flux is not to deliver it: Flux would go on, and prune everything when they go."""
    if situation.plan.flux:
        return
    labels = f"{STACK_LABEL}={situation.plan.stack}"
    for body in situation.listed(engine.FLUX_GROUP, "Kustomization", labels=labels):
        name, namespace = name_of(body), body["metadata"].get("namespace")
        target = f"kustomizations.{engine.FLUX_GROUP} {name} -n {namespace}"
        yield Problem(
            code=CODE,
            message="it belongs to this stack as Flux delivers it, which is still at work",
            where=f"Kustomization/{namespace}/{name}",
            fix="end it and keep its objects, the root first: kubectl patch "
            f"""{target} --type merge -p '{{"spec":{{"prune":false}}}}' && kubectl delete {target}""",
        )
