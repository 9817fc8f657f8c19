"""The lease of a stack in a fake cluster."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.stages.deliver.deliveries import Delivery, settings

from cluster_forge.foundation.errors import BusyError, ClusterError
from cluster_forge.ports.cluster import ApplyOptions, Query
from cluster_forge.stages.deliver.cluster_records import lease
from cluster_forge.stages.deliver.cluster_records.lease import Lease
from cluster_forge.stages.deliver.cluster_records.leased_cluster import LeasedCluster

FIRST, SECOND = "one/1/0", "two/2/0"
ID = lease.lease_id("demo")


def test_the_lease_is_there_while_it_is_held_and_then_gone() -> None:
    delivery = Delivery()
    with lease.held("demo", delivery.tools, run=FIRST) as held:
        spec = delivery.cluster.objects()[ID]["spec"]
        assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == (FIRST, 30)
        assert spec["acquireTime"] == spec["renewTime"]
        held.check()
    assert ID not in delivery.cluster.objects()


def test_the_second_says_who_holds_it_since_when() -> None:
    delivery = Delivery()
    with lease.held("demo", delivery.tools, run=FIRST) as held:
        since = delivery.cluster.objects()[ID]["spec"]["acquireTime"]
        delivery.clock.at(8, held.renew)
        with (
            pytest.raises(BusyError, match=f"the stack demo is being deployed by {FIRST} since {since}"),
            lease.held("demo", delivery.tools, run=SECOND),
        ):
            pass
        assert delivery.cluster.objects()[ID]["spec"]["holderIdentity"] == FIRST


def test_a_lease_that_is_not_renewed_is_taken_over_when_it_expires() -> None:
    delivery = Delivery()
    crashed = lease.held("demo", delivery.tools, run=FIRST)
    first = crashed.__enter__()
    began = delivery.clock.time()
    with lease.held("demo", delivery.tools, run=SECOND):
        assert 30 < delivery.clock.time() - began < 40
        spec = delivery.cluster.objects()[ID]["spec"]
        assert (spec["holderIdentity"], spec["leaseTransitions"]) == (SECOND, 1)
        first.renew()
        with pytest.raises(BusyError, match=f"{SECOND} deploys the stack now"):
            first.check()
        crashed.__exit__(None, None, None)
        assert delivery.cluster.objects()[ID]["spec"]["holderIdentity"] == SECOND


def test_renewing_again_is_one_request_while_no_other_process_writes() -> None:
    delivery = Delivery()
    with lease.held("demo", delivery.tools, run=FIRST) as held:
        held.renew()
        delivery.cluster.requests.clear()
        delivery.clock.at(8, held.renew)
        delivery.clock.sleep(9)
        held.check()
        assert [request.verb for request in delivery.cluster.requests] == ["update"]
        other = delivery.cluster.objects()[ID]
        delivery.cluster.replace({**other, "spec": {**other["spec"], "holderIdentity": SECOND}})
        held.renew()
        with pytest.raises(BusyError, match=f"{SECOND} deploys the stack now"):
            held.check()


def test_it_is_given_back_after_a_failure() -> None:
    delivery = Delivery()
    with pytest.raises(RuntimeError), lease.held("demo", delivery.tools, run=FIRST):
        raise RuntimeError("a bug")
    assert ID not in delivery.cluster.objects()


def test_two_stacks_have_two_leases() -> None:
    delivery = Delivery()
    with lease.held("demo", delivery.tools, run=FIRST), lease.held("other", delivery.tools, run=SECOND):
        assert {key.name for key in delivery.cluster.objects() if key.kind == "Lease"} == {
            "deploy-demo",
            "deploy-other",
        }


def test_a_lease_that_was_deleted_is_written_again() -> None:
    delivery = Delivery()
    held = Lease(delivery.tools, "demo", FIRST, "since")
    held.renew()
    assert delivery.cluster.objects()[ID]["spec"]["holderIdentity"] == FIRST


def test_a_renewal_that_comes_late_does_not_make_a_lease_again_that_was_given_back() -> None:
    delivery = Delivery()
    with lease.held("demo", delivery.tools, run=FIRST) as held:
        held.renew()
    held.renew()
    assert ID not in delivery.cluster.objects()


def test_who_could_not_renew_the_lease_looks_at_it_before_the_next_change() -> None:
    delivery = Delivery()
    crashed = lease.held("demo", delivery.tools, run=FIRST)
    first = crashed.__enter__()
    cluster = LeasedCluster(delivery.cluster, first)
    with lease.held("demo", delivery.tools, run=SECOND):
        delivery.cluster.requests.clear()
        with pytest.raises(BusyError, match=f"{SECOND} deploys the stack now"):
            cluster.apply(settings(), ApplyOptions(manager="m"))
        assert [request.verb for request in delivery.cluster.requests] == ["get"]
        crashed.__exit__(None, None, None)


def test_a_wait_ends_at_its_next_look_once_the_lease_is_known_to_be_lost() -> None:
    """What the other deployment does would be reported as the result of this one."""
    delivery = Delivery()
    crashed = lease.held("demo", delivery.tools, run=FIRST)
    first = crashed.__enter__()
    cluster, query = LeasedCluster(delivery.cluster, first), Query(group="", kind="ConfigMap")
    looks: list[Callable[[], object]] = [
        lambda: cluster.get(ID),
        lambda: cluster.list(query),
        lambda: cluster.each(query, dict),
        lambda: cluster.watch(query, "1", 1.0),
    ]
    with lease.held("demo", delivery.tools, run=SECOND):
        assert cluster.get(ID) is not None, "nothing is known yet, and no look renews"
        first.renew()
        delivery.cluster.requests.clear()
        for look in looks:
            with pytest.raises(BusyError, match=f"{SECOND} deploys the stack now"):
                look()
        assert delivery.cluster.requests == []
        crashed.__exit__(None, None, None)


def test_a_lease_that_was_not_renewed_for_long_is_renewed_before_a_change() -> None:
    delivery = Delivery()
    with lease.held("demo", delivery.tools, run=FIRST) as held:
        since = delivery.cluster.objects()[ID]["spec"]["renewTime"]
        cluster = LeasedCluster(delivery.cluster, held)
        delivery.clock.sleep(15)
        cluster.create(settings("early", "cluster-forge"))
        assert delivery.cluster.objects()[ID]["spec"]["renewTime"] == since
        delivery.clock.sleep(15)
        cluster.create(settings("late", "cluster-forge"))
        assert delivery.cluster.objects()[ID]["spec"]["renewTime"] > since


def test_nothing_is_changed_while_the_lease_cannot_be_renewed() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.target == ID and delivery.clock.now:
            raise ClusterError("does not answer")

    delivery = Delivery(FakeCluster(before=refuse))
    with lease.held("demo", delivery.tools, run=FIRST) as held:
        delivery.clock.sleep(25)
        with pytest.raises(ClusterError, match="does not answer"):
            LeasedCluster(delivery.cluster, held).create(settings())
        assert not [key for key in delivery.cluster.objects() if key.name == "settings"]


def test_it_is_said_who_is_waited_for() -> None:
    delivery = Delivery()
    with lease.held("demo", delivery.tools, run=FIRST), lease.held("demo", delivery.tools, run=SECOND):
        pass
    assert any(FIRST in str(event) for event in delivery.reporter.events)


@pytest.mark.parametrize("spec", [None, {}, {"holderIdentity": 3, "leaseDurationSeconds": "x", "renewTime": []}])
def test_a_strange_lease_expires_too(spec: object) -> None:
    delivery = Delivery()
    delivery.cluster.put(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "deploy-demo", "namespace": "cluster-forge"},
            "spec": spec,
        }
    )
    with lease.held("demo", delivery.tools, run=SECOND):
        assert delivery.cluster.objects()[ID]["spec"]["holderIdentity"] == SECOND
