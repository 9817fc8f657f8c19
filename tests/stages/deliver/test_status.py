"""How far a stack is in a cluster: directly and through Argo CD; who has changed it, and why it is not healthy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.fake_cluster import FakeCluster
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import part
from tests.stages.deliver.deliveries import Delivery, deployment, identity, settings, web
from tests.stages.deliver.looking import deployed

from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Patch
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.look.component_status import ComponentStatus
from cluster_forge.stages.deliver.status import StackStatus, StatusRequest, status

WEB = identity("Deployment", "web", "shop", "apps")
PARTS = (part("shop", [web(replicas=2), settings()]), part("more", [settings("b", "more")]))


def healthy() -> FakeCluster:
    cluster = FakeCluster(on_change=becomes_ready)
    deployed(cluster, PARTS)
    return cluster


def seen(cluster: FakeCluster, parts: Sequence[Part] = PARTS) -> StackStatus:
    return status(StatusRequest(deployment=deployment(parts), parts=parts), Delivery(cluster).tools)


def shop(cluster: FakeCluster, parts: Sequence[Part] = PARTS) -> ComponentStatus:
    return next(component for component in seen(cluster, parts).components if component.name == "shop")


def test_a_healthy_stack() -> None:
    result = seen(healthy())
    assert result.is_healthy
    assert result.is_good
    assert [(one.name, one.sync, one.condition, one.messages) for one in result.components] == [
        ("shop", "Synced", "Healthy", ()),
        ("more", "Synced", "Healthy", ()),
    ]


def test_what_is_healthy_but_other_than_the_stack_is_not_good() -> None:
    cluster = healthy()
    settings_id = identity("ConfigMap", "settings", "shop")
    cluster.patch(settings_id, {"data": {"a": "2"}}, Patch.MERGE, manager="kubectl-edit")
    result = seen(cluster)
    assert (result.is_healthy, result.is_synced, result.is_good) == (True, False, False)


def test_a_stack_that_is_not_deployed() -> None:
    result = seen(FakeCluster())
    assert not result.is_good
    assert not result.is_healthy
    assert {(one.sync, one.condition, one.messages) for one in result.components} == {
        ("OutOfSync", "Missing", ("none of its objects is there",))
    }


def test_an_object_that_was_deleted() -> None:
    cluster = healthy()
    cluster.delete(identity("ConfigMap", "settings", "shop"))
    found = shop(cluster)
    assert (found.sync, found.condition) == ("OutOfSync", "Missing")
    assert found.messages == ("ConfigMap/shop/settings is not there",)


def test_a_workload_that_is_not_ready_with_the_cause() -> None:
    cluster = healthy()
    cluster.on_change = lambda _cluster, _body: None
    cluster.set_status(WEB, {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2})
    found = shop(cluster)
    assert (found.sync, found.condition) == ("Synced", "Progressing")
    assert found.messages == ("Deployment.apps/shop/web: 0 of 2 replicas available",)


def test_fields_that_another_manager_has_set() -> None:
    cluster = healthy()
    cluster.patch(WEB, {"spec": {"replicas": 3, "paused": False}}, Patch.MERGE, manager="kubectl-edit")
    found = shop(cluster)
    assert (found.sync, found.condition) == ("OutOfSync", "Healthy")
    assert found.messages == ("Deployment.apps/shop/web: kubectl-edit has set spec.replicas",)


def test_a_field_that_another_manager_has_set_back_does_not_count() -> None:
    cluster = healthy()
    for replicas in (3, 2):
        cluster.patch(WEB, {"spec": {"replicas": replicas}}, Patch.MERGE, manager="kubectl-edit")
    assert shop(cluster).messages == ()


def test_replicas_that_an_autoscaler_sets_do_not_count() -> None:
    cluster = healthy()
    change = {"spec": {"replicas": 3}}
    cluster.patch(WEB, change, Patch.MERGE, manager="kube-controller-manager", subresource="scale")
    assert shop(cluster).messages == ()


def test_what_the_last_release_has() -> None:
    cluster = healthy()
    tools = Delivery(cluster).tools
    former = (replace(PARTS[0], version="1.0"), PARTS[1])
    releases.begin(deployment(former), tools, run="here/1/now")
    assert (shop(cluster, former).deployed, shop(cluster, former).sync) == ("1.0", "Synced")
    changed = (part("shop", [web(replicas=3), settings()]), PARTS[1])
    found = shop(cluster, changed)
    assert (found.deployed, found.sync, found.messages) == ("1.0", "OutOfSync", ("release 1 has other objects of it",))


def test_only_what_has_a_status_is_read_as_a_whole() -> None:
    cluster = healthy()
    many = (*PARTS, part("many", [settings(f"m{number}", "many") for number in range(40)]))
    deployed(cluster, many)
    cluster.requests.clear()
    assert seen(cluster, many).is_healthy
    assert len(cluster.requests) < 12
