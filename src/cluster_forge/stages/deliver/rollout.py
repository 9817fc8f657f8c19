"""A rollout: one stack to several clusters, step by step, until one of them fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Generic, TypeVar

from cluster_forge.foundation.error_groups import expected
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.ports.workers import Workers
from cluster_forge.stack.clusters import DescribedCluster, Rollout

Result = TypeVar("Result")


class Verdict(StrEnum):
    """What became of one cluster."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """A cluster before it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOutcome(Generic[Result]):
    """One cluster after a rollout; ``result`` is None where it was skipped, or ended with ``errors``."""

    cluster: DescribedCluster
    verdict: Verdict
    result: Result | None = None
    errors: tuple[ForgeError, ...] = ()


def roll_out(
    steps: Sequence[Sequence[DescribedCluster]],
    rollout: Rollout,
    workers: Workers,
    deploy: Callable[[DescribedCluster], Result],
    is_good: Callable[[Result], bool],
) -> tuple[ClusterOutcome[Result], ...]:
    """``deploy`` for every cluster, at most ``max_unavailable`` of a step at a time.

    Once one has failed, those that run with it end, and all others are skipped.
    """
    outcomes: list[ClusterOutcome[Result]] = []
    has_failed = False
    for batch in _batches(steps, rollout.max_unavailable):
        if has_failed:
            outcomes += (ClusterOutcome(cluster=cluster, verdict=Verdict.SKIPPED) for cluster in batch)
            continue
        done = workers.map(partial(outcome, deploy=deploy, is_good=is_good), batch)
        outcomes += done
        has_failed = any(one.verdict is Verdict.FAILED for one in done)
    return tuple(outcomes)


def _batches(steps: Sequence[Sequence[DescribedCluster]], size: int) -> Iterator[Sequence[DescribedCluster]]:
    for step in steps:
        for start in range(0, len(step), size):
            yield step[start : start + size]


def outcome(
    cluster: DescribedCluster, deploy: Callable[[DescribedCluster], Result], is_good: Callable[[Result], bool]
) -> ClusterOutcome[Result]:
    """What becomes of one cluster, its errors included."""
    try:
        result = deploy(cluster)
    except (ForgeError, ExceptionGroup) as error:
        return ClusterOutcome(cluster=cluster, verdict=Verdict.FAILED, errors=tuple(expected(error)))
    return ClusterOutcome(cluster=cluster, verdict=Verdict.DONE if is_good(result) else Verdict.FAILED, result=result)
