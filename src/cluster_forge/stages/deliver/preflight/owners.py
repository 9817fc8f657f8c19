"""No object of the stack belongs to somebody else (ADR 0018)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.gitops import engine
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "whose the objects are"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "foreign-object": "An object belongs to somebody else (`--adopt`, unless its owner is still at work).",
}
CODE: Final = "foreign-object"


def problems(situation: Situation) -> Iterator[Problem]:
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
