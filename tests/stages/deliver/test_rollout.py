from __future__ import annotations

import threading

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.foundation.errors import ClusterError
from cluster_forge.stack.clusters import DescribedCluster, Rollout
from cluster_forge.stages.deliver.rollout import roll_out

STAGING, A, B, C = (DescribedCluster(name=name, context=name) for name in ("staging", "a", "b", "c"))
STEPS = ((STAGING,), (A, B, C))


class Deployments:
    """Says of each cluster whether it is good, and what ran side by side."""

    def __init__(self, bad: str = "", down: str = "", together: int = 1) -> None:
        self.order: list[str] = []
        self._bad, self._down = bad, down
        self._barrier = threading.Barrier(together)

    def __call__(self, cluster: DescribedCluster) -> bool:
        if cluster is not STAGING and self._barrier.parties > 1 and cluster is not C:
            self._barrier.wait(5)
        self.order.append(cluster.name)
        if cluster.name == self._down:
            raise ClusterError("does not answer")
        return cluster.name != self._bad


def verdicts(deployments: Deployments, rollout: Rollout) -> list[str]:
    outcomes = roll_out(STEPS, rollout, ThreadWorkers(4), deployments, bool)
    return [f"{outcome.cluster.name} {outcome.verdict}" for outcome in outcomes]


def test_every_cluster_is_deployed_to_in_the_order_of_the_steps() -> None:
    deployments = Deployments()
    assert verdicts(deployments, Rollout()) == ["staging done", "a done", "b done", "c done"]
    assert deployments.order == ["staging", "a", "b", "c"]


def test_a_cluster_that_is_not_healthy_stops_the_rest() -> None:
    deployments = Deployments(bad="staging")
    assert verdicts(deployments, Rollout()) == ["staging failed", "a skipped", "b skipped", "c skipped"]
    assert deployments.order == ["staging"]


def test_a_cluster_that_does_not_answer_stops_the_rest_with_its_error() -> None:
    outcomes = roll_out(STEPS, Rollout(), ThreadWorkers(1), Deployments(down="a"), bool)
    assert [str(error) for outcome in outcomes for error in outcome.errors] == ["does not answer"]
    assert [outcome.verdict for outcome in outcomes] == ["done", "failed", "skipped", "skipped"]


def test_as_many_clusters_as_may_be_unavailable_are_deployed_to_side_by_side() -> None:
    deployments = Deployments(bad="a", together=2)
    assert verdicts(deployments, Rollout(max_unavailable=2)) == ["staging done", "a failed", "b done", "c skipped"]
