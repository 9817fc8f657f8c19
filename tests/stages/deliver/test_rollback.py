"""Going back to an earlier release on a fake cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.gitops.conftest import body, crd, part
from tests.stages.deliver.deliveries import DIRECT, Delivery, deployment, identity, settings, web

from cluster_forge.foundation.errors import ReleaseError
from cluster_forge.gitops.release import Result
from cluster_forge.stack.model import GitOps, GitOpsEngine
from cluster_forge.stages.deliver import obstacles, rollback
from cluster_forge.stages.deliver.cluster_records import releases
from cluster_forge.stages.deliver.deployment import Deployment
from cluster_forge.stages.deliver.direct import delivery as direct
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.rollback import RollbackRequest

BACK = RollbackRequest(stack="demo")
RUN = "host/1/0"


def widgets(*versions: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object"}}
    listed = [{"name": name, "served": True, "storage": name == versions[-1], "schema": schema} for name in versions]
    names = {"kind": "Widget", "plural": "widgets"}
    return crd("widgets.example.com", group="example.com", names=names, scope="Namespaced", versions=listed)


def volume(size: str) -> dict[str, Any]:
    return body("v1", "PersistentVolumeClaim", "data", "shop", spec={"resources": {"requests": {"storage": size}}})


def stateful(size: str, service: str = "db") -> dict[str, Any]:
    claim = {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": size}}}}
    return body("apps/v1", "StatefulSet", "db", "shop", spec={"serviceName": service, "volumeClaimTemplates": [claim]})


def release(
    delivery: Delivery, bodies: Sequence[dict[str, Any]], version: str, result: Result = Result.DEPLOYED
) -> None:
    deployed = deployment([part("shop", bodies)], version)
    deploy(delivery, deployed, "", result)


def deploy(delivery: Delivery, deployed: Deployment, cause: str, result: Result = Result.DEPLOYED) -> str:
    """As `deploy` does, without the checks."""
    begun = releases.begin(deployed, delivery.tools, run=RUN, cause=cause).release
    direct.deliver(deployed, delivery.tools, DeployOptions())
    releases.end(begun, result, delivery.tools)
    return deployed.plan.version


def back(delivery: Delivery, request: RollbackRequest = BACK) -> tuple[int, str]:
    chosen, version = rollback.rollback(
        request, delivery.tools, lambda deployed, cause: deploy(delivery, deployed, cause)
    )
    return chosen.number, version


def test_the_release_before_is_deployed_again_as_a_release_of_its_own() -> None:
    delivery = Delivery()
    release(delivery, [settings(a="1")], "v-1")
    release(delivery, [settings(a="2")], "v-2")
    assert back(delivery) == (1, "v-1")
    assert delivery.there("ConfigMap", "settings", "shop")["data"] == {"a": "1"}
    last = releases.listed(delivery.cluster, "demo")[-1]
    assert (last.number, last.version, last.cause) == (3, "v-1", "rollback to 1")


@pytest.mark.parametrize("result", [Result.RUNNING, Result.INTERRUPTED])
def test_a_way_back_that_was_killed_goes_on_to_the_same_release(result: Result) -> None:
    delivery = Delivery()
    release(delivery, [settings(a="1")], "v-1")
    release(delivery, [settings(a="2")], "v-2")
    deploy(delivery, deployment([part("shop", [settings(a="1")])], "v-1"), "rollback to 1", result)
    assert back(delivery) == (1, "v-1")


def test_a_way_back_that_has_failed_is_not_tried_again() -> None:
    delivery = Delivery()
    for number in (1, 2):
        release(delivery, [settings(a=str(number))], f"v-{number}")
    deploy(delivery, deployment([part("shop", [settings(a="1")])], "v-1"), "rollback to 1", Result.FAILED)
    assert back(delivery) == (2, "v-2")


def test_a_failed_deployment_goes_back_to_the_last_good_one() -> None:
    delivery = Delivery()
    release(delivery, [settings(a="1")], "v-1")
    release(delivery, [settings(a="2")], "v-2", Result.FAILED)
    gone = rollback.after_failure(
        "demo", RUN, delivery.tools, lambda deployed, cause: deploy(delivery, deployed, cause)
    )
    assert gone is not None
    assert gone[0].number == 1
    assert delivery.there("ConfigMap", "settings", "shop")["data"] == {"a": "1"}


def test_a_first_deployment_that_fails_has_no_way_back() -> None:
    delivery = Delivery()
    release(delivery, [settings()], "v-1", Result.FAILED)
    assert rollback.after_failure("demo", RUN, delivery.tools, lambda deployed, _: deployed) is None


def test_only_the_run_that_has_failed_goes_back() -> None:
    delivery = Delivery()
    release(delivery, [settings(a="1")], "v-1")
    release(delivery, [settings(a="2")], "v-2", Result.FAILED)
    assert rollback.after_failure("demo", "other/1/0", delivery.tools, lambda deployed, _: deployed) is None


def test_a_named_release() -> None:
    delivery = Delivery()
    for number in range(1, 5):
        release(delivery, [settings(a=str(number))], f"v-{number}")
    assert back(delivery, RollbackRequest(stack="demo", to=2)) == (2, "v-2")


LOSSES = [
    (
        [widgets("v1")],
        [widgets("v1", "v2")],
        ("CustomResourceDefinition", "widgets.example.com", "", "apiextensions.k8s.io"),
        {"storedVersions": ["v1", "v2"]},
        "objects may be stored in version v2, which the CRD of that release does not have",
    ),
    (
        [volume("1Gi")],
        [volume("2Gi")],
        None,
        {},
        "the volume has 2Gi, and 1Gi in that release: it cannot shrink",
    ),
    (
        [stateful("1Gi", "old")],
        [stateful("2Gi", "new")],
        None,
        {},
        "spec.serviceName, spec.volumeClaimTemplates cannot change in a StatefulSet that is there",
    ),
]


@pytest.mark.parametrize(("former", "present", "target", "status", "message"), LOSSES)
def test_going_back_is_refused_where_it_would_lose_data_or_is_impossible(
    former: list[dict[str, Any]],
    present: list[dict[str, Any]],
    target: tuple[str, str, str, str] | None,
    status: dict[str, Any],
    message: str,
) -> None:
    delivery = Delivery()
    release(delivery, former, "v-1")
    release(delivery, present, "v-2")
    if target:
        delivery.cluster.set_status(identity(*target), status)
    before = delivery.cluster.objects()
    with pytest.raises(ReleaseError, match=message) as refused:
        back(delivery)
    assert "--force-rollback" not in str(refused.value.fix), "the checks of the deployment refuse it then"
    assert delivery.cluster.objects() == before
    chosen, _ = rollback.target(RollbackRequest(stack="demo", is_forced=True), delivery.tools)
    assert chosen.number == 1


def by_engine(bodies: Sequence[dict[str, Any]], version: str) -> Deployment:
    """The component ``shop``, as Argo CD delivers it; its release has no documents."""
    parts = [part("shop", bodies)]
    return obstacles.with_deciding_fields(deployment(parts, version, gitops=GitOps(install=False)), parts)


@pytest.mark.parametrize(("former", "present", "target", "status", "message"), LOSSES)
def test_the_same_is_refused_where_an_engine_applies_the_objects(
    former: list[dict[str, Any]],
    present: list[dict[str, Any]],
    target: tuple[str, str, str, str] | None,
    status: dict[str, Any],
    message: str,
) -> None:
    delivery = Delivery()
    for version, bodies in (("v-1", former), ("v-2", present)):
        begun = releases.begin(by_engine(bodies, version), delivery.tools, run="host/1/0").release
        releases.end(begun, Result.DEPLOYED, delivery.tools)
    delivery.cluster.put(body("v1", "Namespace", "shop"), *present)
    if target:
        delivery.cluster.set_status(identity(*target), status)
    with pytest.raises(ReleaseError, match=message):
        rollback.target(BACK, delivery.tools)
    chosen, _ = rollback.target(RollbackRequest(stack="demo", is_forced=True), delivery.tools)
    assert chosen.number == 1


def changes(delivery: Delivery, request: RollbackRequest = BACK) -> list[tuple[str, str, str]]:
    """What going back would change, by object, with the remark."""
    planned = rollback.planned(request, delivery.tools)
    return [(one.id.name, one.change.value, one.remark) for one in planned.changes.objects]


@pytest.mark.parametrize("gitops", [DIRECT, GitOps(install=False), GitOps(engine=GitOpsEngine.FLUX, install=False)])
def test_a_plan_says_what_would_change_whatever_delivers(gitops: GitOps) -> None:
    delivery = Delivery()
    states = [
        ("v-1", [settings(a="1"), settings("old")]),
        ("v-2", [settings(a="2"), settings("new"), volume("1Gi")]),
    ]
    for version, bodies in states:
        cast = deployment([part("shop", bodies)], version, gitops=gitops)
        begun = releases.begin(cast, delivery.tools, run=RUN).release
        releases.end(begun, Result.DEPLOYED, delivery.tools)
    before = delivery.cluster.objects()
    stays = "stays in the cluster: data would be lost with it"
    assert changes(delivery) == [
        ("new", "removed", ""),
        ("old", "added", ""),
        ("settings", "changed", ""),
        ("data", "removed", stays),
    ]
    assert delivery.cluster.objects() == before


def test_a_plan_says_what_is_in_the_way_beside_what_would_change() -> None:
    delivery = Delivery()
    release(delivery, [volume("1Gi")], "v-1")
    release(delivery, [volume("2Gi")], "v-2")
    planned = rollback.planned(BACK, delivery.tools)
    assert ["it cannot shrink" in str(error) for error in planned.obstacles] == [True]
    assert (planned.release.number, planned.newest.number) == (1, 2)
    assert not rollback.planned(RollbackRequest(stack="demo", is_forced=True), delivery.tools).obstacles


def test_the_plan_of_a_narrowed_release_is_about_its_own_components() -> None:
    delivery = Delivery()
    for number in ("1", "2"):
        whole = deployment(
            [part("shop", [settings(a=number)]), part("other", [settings("other", a=number)])], f"v-{number}"
        )
        deploy(delivery, whole, "")
        deploy(delivery, deployment([part("shop", [settings(a=f"{number}0")])], f"v-{number}0", narrowed="shop"), "")
    assert changes(delivery, RollbackRequest(stack="demo", to=2)) == [("settings", "changed", "")]
    assert [name for name, *_ in changes(delivery, RollbackRequest(stack="demo", to=1))] == ["other", "settings"]


def test_what_a_release_keeps_of_a_secret_is_not_its_value() -> None:
    secret = body("v1", "Secret", "login", "shop", type="Opaque", stringData={"password": "hunter2"})
    kept = by_engine([secret], "v-1").files[obstacles.DECIDING]
    assert b"Opaque" in kept
    assert b"hunter2" not in kept


def test_an_immutable_field_does_not_stand_in_the_way_if_objects_may_be_recreated() -> None:
    delivery = Delivery()
    release(delivery, [stateful("1Gi", "old"), volume("1Gi")], "v-1")
    release(delivery, [stateful("1Gi", "new"), volume("2Gi")], "v-2")
    with pytest.raises(ExceptionGroup) as refused:
        rollback.target(BACK, delivery.tools)
    assert len(refused.value.exceptions) == 2
    with pytest.raises(ReleaseError, match="it cannot shrink"):
        rollback.target(RollbackRequest(stack="demo", recreates=True), delivery.tools)


def test_a_release_for_another_kubernetes_version_needs_a_word() -> None:
    delivery = Delivery()
    release(delivery, [settings(a="1")], "v-1")
    release(delivery, [settings(a="2")], "v-2", Result.FAILED)
    delivery.cluster.minor += 1
    assert rollback.target(BACK, delivery.tools)[0].number == 1
    delivery.cluster.minor += 1
    with pytest.raises(ReleaseError, match=r"made for Kubernetes 1.33, and the cluster is 1.35 \(supported"):
        rollback.target(BACK, delivery.tools)
    assert rollback.target(RollbackRequest(stack="demo", force_version=True), delivery.tools)[0].number == 1
    gone = rollback.after_failure("demo", RUN, delivery.tools, lambda deployed, cause: cause)
    assert gone is not None


def test_a_volume_that_grows_and_a_stored_version_that_is_kept_do_not_stand_in_the_way() -> None:
    delivery = Delivery()
    release(delivery, [widgets("v1", "v2"), volume("2Gi"), stateful("1024Mi"), web()], "v-1")
    release(delivery, [widgets("v2"), volume("1Gi"), stateful("1Gi"), web()], "v-2")
    crds = identity("CustomResourceDefinition", "widgets.example.com", group="apiextensions.k8s.io")
    delivery.cluster.set_status(crds, {"storedVersions": ["v2"]})
    chosen, deployed = rollback.target(BACK, delivery.tools)
    assert (chosen.number, deployed.plan.version) == (1, "v-1")
