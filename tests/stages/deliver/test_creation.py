"""Creating objects on a cluster that loses its answers: what was created is known again."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster
from tests.gitops.conftest import part
from tests.stages.deliver.deliveries import Delivery, deployment, settings

from cluster_forge.foundation.errors import ClusterError, ForgeError, RefusedError
from cluster_forge.gitops.release import Result
from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.deliver import creation
from cluster_forge.stages.deliver.cluster_records import audit_log, lease, releases

OURS = settings(namespace="default", mine="1")
LOST = ClusterError("the connection broke off")


def loses(cluster: FakeCluster, *kinds: str, error: ForgeError = LOST, times: int = 1) -> None:
    """From now on the answers to the first changes of objects of these kinds are lost, though the changes are made."""
    seen: dict[str, int] = {}
    happens = cluster.on_change

    def on_change(changed: FakeCluster, body: Body) -> object:
        happens(changed, body)
        kind = str(body["kind"])
        seen[kind] = seen.get(kind, 0) + 1
        if kind in kinds and seen[kind] <= times:
            raise error
        return None

    cluster.on_change = on_change


@pytest.mark.parametrize("error", [LOST, RefusedError("bad gateway", status=HTTPStatus.BAD_GATEWAY)])
def test_an_object_whose_answer_was_lost_is_ours(error: ForgeError) -> None:
    cluster = FakeCluster()
    loses(cluster, "ConfigMap", error=error)
    assert creation.create(OURS, cluster)
    assert sum(request.verb == "create" for request in cluster.requests) == 2


def test_an_object_that_another_one_created_meanwhile_is_not_ours() -> None:
    cluster = FakeCluster()

    def lost_and_taken(request: Any) -> None:
        if request.verb == "create" and not cluster.objects().keys() & {request.target}:
            cluster.put(settings(namespace="default", mine="2"))
            raise LOST

    cluster.before = lost_and_taken
    assert not creation.create(OURS, cluster)


def test_an_object_that_is_there_is_not_ours_even_if_it_is_the_same() -> None:
    cluster = FakeCluster()
    cluster.put(OURS)
    assert not creation.create(OURS, cluster)


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (LOST, 3),
        (ClusterError("the certificate is not trusted", is_lasting=True), 1),
        (RefusedError("a webhook denied the request", status=HTTPStatus.FORBIDDEN), 1),
    ],
)
def test_a_server_that_takes_nothing_is_an_error(error: ForgeError, attempts: int) -> None:
    tried: list[str] = []

    def before(request: Any) -> None:
        tried.append(request.verb)
        raise error

    with pytest.raises(type(error), match=error.message):
        creation.create(OURS, FakeCluster(before=before))
    assert tried == ["create"] * attempts


def hold(delivery: Delivery) -> None:
    with lease.held("demo", delivery.tools, run="one/1/0"):
        holder = delivery.cluster.objects()[lease.lease_id("demo")]["spec"]["holderIdentity"]
        assert holder == "one/1/0"


def take_over(delivery: Delivery) -> None:
    crashed = lease.held("demo", delivery.tools, run="zero/1/0")
    crashed.__enter__()
    loses(delivery.cluster, "Lease")
    hold(delivery)


def release(delivery: Delivery) -> None:
    begun = releases.begin(deployment([part("shop", [settings()])]), delivery.tools, run="one/1/0").release
    releases.end(begun, Result.DEPLOYED, delivery.tools)
    assert [one.number for one in releases.listed(delivery.cluster, "demo")] == [1]
    assert len(audit_log.read(delivery.cluster, "demo")) == 1


@pytest.mark.parametrize(("does", "kinds"), [(hold, ["Lease"]), (take_over, []), (release, ["Secret", "Event"])])
def test_what_a_deployment_writes_beside_its_objects_survives_a_lost_answer(
    does: Callable[[Delivery], None], kinds: list[str]
) -> None:
    delivery = Delivery()
    loses(delivery.cluster, *kinds, times=1)
    began = delivery.clock.time()
    does(delivery)
    assert delivery.clock.time() - began < (40 if does is take_over else 1)
