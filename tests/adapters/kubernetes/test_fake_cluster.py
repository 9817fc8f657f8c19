"""The fake cluster of the tests does what a real one does, and what its tests tell it to."""

from __future__ import annotations

import pytest
from tests.adapters.kubernetes.cluster_contract import OURS, ClusterContract, config_map, deployment
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.fake_controllers import becomes_ready
from tests.fake_selectors import matches

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import Query


class TestContract(ClusterContract):
    @pytest.fixture
    def cluster(self) -> FakeCluster:
        return FakeCluster()


def test_controllers_make_what_is_applied_ready() -> None:
    cluster = FakeCluster(on_change=becomes_ready)
    cluster.apply(deployment("default", replicas=2), OURS)
    body = cluster.get(ObjectId.of(deployment("default")))
    assert body is not None
    assert body["status"]["observedGeneration"] == body["metadata"]["generation"] == 1
    assert body["status"]["availableReplicas"] == 2


def test_a_request_can_be_refused() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.verb == "apply" and not request.is_trial:
            raise RefusedError("a webhook says no", status=403, reason="Forbidden")

    cluster = FakeCluster(before=refuse)
    with pytest.raises(RefusedError, match="says no"):
        cluster.apply(config_map("default"), OURS)
    assert [request.verb for request in cluster.requests] == ["apply"]
    assert cluster.get(ObjectId.of(config_map("default"))) is None


def test_an_old_watch_is_refused() -> None:
    cluster = FakeCluster()
    query = Query(group="", kind="ConfigMap")
    since = cluster.list(query).version
    cluster.create(config_map("default"))
    cluster.forget_events()
    with pytest.raises(RefusedError) as caught:
        list(cluster.watch(query, since, 1))
    assert caught.value.status == 410


def test_time_passes_where_a_watch_has_nothing_to_say() -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        cluster.create(config_map("default"))

    cluster = FakeCluster(wait=wait)
    query = Query(group="", kind="ConfigMap")
    events = list(cluster.watch(query, cluster.list(query).version, 3600))
    assert [event.body["metadata"]["name"] for event in events] == ["settings"]
    assert len(waits) == 1


def test_owners_take_their_dependents_along() -> None:
    cluster = FakeCluster()
    owner = cluster.create(deployment("default"))
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": owner["metadata"]["uid"]}
    body = config_map("default")
    cluster.create({**body, "metadata": {**body["metadata"], "ownerReferences": [reference]}})
    cluster.delete(ObjectId.of(owner))
    assert cluster.get(ObjectId.of(body)) is None


def test_what_is_denied_cannot_be_done() -> None:
    cluster = FakeCluster()
    cluster.denied.add(("patch", "Secret", "*"))
    secrets, maps = cluster.served().find("", "Secret"), cluster.served().find("", "ConfigMap")
    assert secrets is not None
    assert maps is not None
    assert not cluster.can("patch", secrets, "default")
    assert cluster.can("get", secrets, "default")
    assert cluster.can("patch", maps, "default")


@pytest.mark.parametrize(
    ("selector", "is_matched"),
    [("", True), ("a=1", True), ("a==1,b", True), ("a!=1", False), ("!c", True), ("a in (1,2),b notin (x)", True)],
)
def test_selectors(selector: str, *, is_matched: bool) -> None:
    assert matches(selector, {"a": "1", "b": "2"}) is is_matched
