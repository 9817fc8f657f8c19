"""A cast stack against a cluster: what a deployment would change, and what is no change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.gitops.conftest import body, part, workload
from tests.stages.deliver.deliveries import Delivery, deployment
from tests.stages.deliver.looking import deployed

from cluster_forge.foundation.errors import RefusedError
from cluster_forge.manifests.comparison.objects import Comparison
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import Patch
from cluster_forge.stages.deliver.diff import DiffRequest, diff

DEPLOYMENT = ObjectId(group="apps", kind="Deployment", namespace="shop", name="web")


def shop(*, replicas: int | None = None, image: str = "example.com/web:1", extra: Sequence[Any] = ()) -> list[Part]:
    web = workload("Deployment", "web", "shop")
    web["spec"] = {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}
    if replicas is not None:
        web["spec"]["replicas"] = replicas
    return [part("shop", [web, {**body("v1", "ConfigMap", "settings", "shop"), "data": {"a": "1"}}, *extra])]


def compared(cluster: FakeCluster, parts: Sequence[Part], *, narrowed: str = "") -> Comparison:
    cast = deployment(parts)
    cast = replace(cast, plan=replace(cast.plan, narrowed=narrowed))
    return diff(DiffRequest(deployment=cast, parts=parts), Delivery(cluster).tools)


def told(comparison: Comparison) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [
        (one.component, one.id.name, one.change, tuple(change.path for change in one.fields))
        for one in comparison.objects
    ]


def test_after_a_deployment_nothing_differs_and_nothing_is_stored() -> None:
    cluster = FakeCluster()
    deployed(cluster, shop())
    before = cluster.objects()
    assert not compared(cluster, shop())
    assert cluster.objects() == before


def test_in_an_empty_cluster_everything_is_new_without_a_dry_run() -> None:
    cluster = FakeCluster()
    custom = body("example.com/v1", "Thing", "x", "shop")
    comparison = compared(cluster, shop(extra=[custom]))
    assert told(comparison) == [
        ("shop", "settings", "added", ()),
        ("shop", "web", "added", ()),
        ("shop", "x", "added", ()),
    ]
    assert comparison.added_images == ("example.com/web:1",)
    assert [one.change for one in comparison.components] == ["added"]
    assert "apply" not in {request.verb for request in cluster.requests}


def test_changed_fields_and_images() -> None:
    cluster = FakeCluster()
    deployed(cluster, shop(replicas=1))
    comparison = compared(cluster, shop(image="example.com/web:2"))
    assert told(comparison) == [
        ("shop", "web", "changed", ("spec.replicas", 'spec.template.spec.containers[name="web"].image'))
    ]
    assert (comparison.added_images, comparison.removed_images) == (("example.com/web:2",), ("example.com/web:1",))
    assert [(one.name, one.change) for one in comparison.components] == [("shop", "changed")]


def test_a_field_of_the_stack_that_another_manager_changed_is_a_difference_and_its_own_fields_are_not() -> None:
    cluster = FakeCluster()
    deployed(cluster, shop(replicas=1))
    spec = {"replicas": 5, "minReadySeconds": 7}
    cluster.patch(DEPLOYMENT, {"spec": spec}, Patch.MERGE, manager="kubectl-edit")
    (difference,) = compared(cluster, shop(replicas=1)).objects
    assert [(change.path, change.before, change.after) for change in difference.fields] == [("spec.replicas", 5, 1)]


def test_what_the_stack_claims_and_has_no_more_would_be_pruned() -> None:
    volume = body("v1", "PersistentVolumeClaim", "data", "shop")
    old = {**body("v1", "Secret", "old", "shop"), "data": {"a": "aHVzaA=="}}
    cluster = FakeCluster()
    deployed(cluster, shop(extra=[old, volume]))
    cluster.put({**body("v1", "ConfigMap", "foreign", "shop")})
    comparison = compared(cluster, shop())
    assert told(comparison) == [("", "data", "removed", ()), ("", "old", "removed", ())]
    data, secret = comparison.objects
    assert "stays in the cluster" in data.remark
    assert (secret.before or {})["data"] == {"a": "***"}
    assert not compared(cluster, shop(), narrowed="shop")


def test_hooks_are_left_out() -> None:
    hook = workload("Job", "migrate", "shop")
    hook["metadata"]["annotations"] = {"helm.sh/hook": "pre-upgrade"}
    cluster = FakeCluster()
    deployed(cluster, shop())
    assert not compared(cluster, shop(extra=[hook]))


def test_an_object_that_the_cluster_refuses_is_shown_with_its_words() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.is_trial:
            raise RefusedError("spec.selector: field is immutable", status=422, reason="Invalid")

    cluster = FakeCluster()
    deployed(cluster, shop())
    cluster.before = refuse
    assert {one.remark for one in compared(cluster, shop()).objects} == {
        "the cluster refuses it: spec.selector: field is immutable"
    }


def test_without_permission_there_is_no_answer() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.is_trial:
            message = (
                'deployments.apps "web" is forbidden: User "x" cannot patch resource "deployments" in API group "apps"'
            )
            raise RefusedError(message, status=403, reason="Forbidden")

    cluster = FakeCluster()
    deployed(cluster, shop())
    cluster.before = refuse
    with pytest.raises((RefusedError, ExceptionGroup)):
        compared(cluster, shop())


def test_many_objects_of_a_kind_are_listed_together() -> None:
    many = [body("v1", "ConfigMap", f"many-{number}", "shop") for number in range(50)]
    cluster = FakeCluster()
    deployed(cluster, shop(extra=many))
    cluster.requests.clear()
    assert not compared(cluster, shop(extra=many))
    verbs = [request.verb for request in cluster.requests]
    assert (verbs.count("apply"), verbs.count("get")) == (52, 1)  # the claim
    assert verbs.count("list") <= 4
