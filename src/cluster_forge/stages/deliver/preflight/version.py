"""The cluster's version is one that the stack supports: at least 1.25, and one minor apart from its target at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.manifests.finding import Severity
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "the version of the cluster"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "kubernetes-range": "The cluster's version is not supported (`--force-version`), or one minor apart.",
}
CODE: Final = "kubernetes-range"
OLDEST: Final = 25


def problems(situation: Situation) -> Iterator[Problem]:
    about, target = situation.cluster.about(), situation.plan.kubernetes.minor
    there = about.minor
    if there is None:
        yield Problem(code=CODE, message=f"cannot read the version of the cluster: {about.version!r}", where=str(about))
        return
    message = f"the stack targets Kubernetes 1.{target}, the cluster is 1.{there}"
    if not is_supported(target, there):
        yield Problem(
            code=CODE,
            message=f"{message} (supported: at least 1.{OLDEST}, one minor apart)",
            where=str(about),
            fix="set `target.kubernetes` and forge again",
            option="--force-version",
        )
    elif there != target:
        yield Problem(
            code=CODE, message=f"{message}: supported, one minor apart", where=str(about), severity=Severity.WARNING
        )


def is_supported(target: int, there: int) -> bool:
    """Whether a stack for Kubernetes 1.``target`` may be deployed to 1.``there``."""
    return there >= OLDEST and abs(there - target) <= 1
