"""The cluster's records of the stack can be read: a deployment adds to its releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import ReleaseError
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation

LOOKS_AT: Final = "the releases of the stack"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "damaged-release": "A release of the stack in the cluster is damaged, or of another version of Cluster-Forge.",
}


def problems(situation: Situation) -> Iterator[Problem]:
    try:
        releases.listed_everywhere(situation.cluster, situation.plan.stack)
    except* ReleaseError as damaged:
        for error in expected(damaged):
            yield Problem(code="damaged-release", message=error.message, where=error.where or "", fix=error.fix or "")
