"""Waiting for objects of a fake cluster, whose clock goes on while nothing happens."""

from __future__ import annotations

import threading

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.fake_controllers import becomes_ready
from tests.stages.deliver.deliveries import Delivery, identity, web

from cluster_forge.foundation.errors import ClusterError, DeploymentError, RefusedError
from cluster_forge.ports.cluster import ApplyOptions
from cluster_forge.stages.deliver.direct.observations import Observations
from cluster_forge.stages.deliver.direct.readiness import Readiness

WEB = identity("Deployment", "web", "shop", "apps")
STUCK = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": "timed out progressing",
}


def cluster(**behaviour: object) -> Delivery:
    made = Delivery(FakeCluster(**behaviour))  # type: ignore[arg-type]
    made.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    return made


def wait(made: Delivery, observations: Observations | None = None, seconds: float = 60) -> list[str]:
    said: list[str] = []
    observed = observations or Observations(made.cluster)
    Readiness(observations=observed, clock=made.clock, targets=(WEB,), seconds=seconds, say=said.append).wait()
    return said


def apply(made: Delivery, replicas: int = 1) -> Observations:
    observations = Observations(made.cluster)
    observations.observe(made.cluster.apply(web(replicas=replicas), ApplyOptions(manager="cluster-forge")).body)
    return observations


def test_what_is_ready_costs_one_list() -> None:
    made = cluster(on_change=becomes_ready)
    apply(made)
    made.cluster.requests.clear()
    assert wait(made) == []
    assert [request.verb for request in made.cluster.requests] == ["list"]


def test_a_state_from_before_the_last_apply_does_not_count() -> None:
    made = cluster(on_change=becomes_ready)
    apply(made)
    observations = Observations(made.cluster)
    stale = made.cluster.get(WEB)
    made.cluster.on_change = lambda _cluster, _body: None
    applied = made.cluster.apply(web(replicas=2), ApplyOptions(manager="cluster-forge")).body
    observations.observe(applied)
    assert stale is not None
    observations.observe(stale)
    made.clock.at(5, lambda: becomes_ready(made.cluster, applied))
    wait(made, observations)
    assert made.clock.now >= 5


def test_an_old_watch_and_a_cluster_that_does_not_answer_do_not_end_the_waiting() -> None:
    errors = [RefusedError("too old", status=410, reason="Expired"), ClusterError("connection refused")]

    def fail(request: FakeRequest) -> None:
        if request.verb == "watch" and errors:
            raise errors.pop()

    made = cluster(before=fail)
    apply(made)
    body = made.there("Deployment", "web", "shop", "apps")
    made.clock.at(8, lambda: becomes_ready(made.cluster, body))
    wait(made)
    assert errors == []


def test_who_may_not_look_is_an_error() -> None:
    def deny(request: FakeRequest) -> None:
        if request.verb == "list":
            raise RefusedError("deployments is forbidden", status=403, reason="Forbidden")

    with pytest.raises(RefusedError, match="forbidden"):
        wait(cluster(before=deny))


def test_a_failure_of_before_has_time_to_recover() -> None:
    made = cluster()
    apply(made)
    made.cluster.set_status(WEB, {"observedGeneration": 1, "conditions": [STUCK]})
    body = made.there("Deployment", "web", "shop", "apps")
    made.clock.at(20, lambda: becomes_ready(made.cluster, body))
    wait(made)
    assert 20 <= made.clock.now < 30


def test_a_failure_that_lasts_is_one() -> None:
    made = cluster()
    apply(made)
    made.cluster.set_status(WEB, {"observedGeneration": 1, "conditions": [STUCK]})
    with pytest.raises(DeploymentError, match="has failed: timed out progressing") as caught:
        wait(made, seconds=300)
    assert caught.value.where == str(WEB)
    assert 30 <= made.clock.now < 60


def test_many_that_wait_for_a_kind_share_one_watch() -> None:
    made = cluster()
    made.cluster.wait = made.cluster._wait
    observations = apply(made)
    body = made.there("Deployment", "web", "shop", "apps")
    threads = [threading.Thread(target=wait, args=(made, observations)) for _ in range(8)]
    for thread in threads:
        thread.start()
    becomes_ready(made.cluster, body)
    for thread in threads:
        thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in threads)
    assert sum(request.verb == "list" for request in made.cluster.requests) == 1
