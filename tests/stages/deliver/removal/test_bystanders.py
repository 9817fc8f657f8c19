"""What must not go along with an object that is pruned or removed: objects of other stacks, and volumes that nobody asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.gitops.conftest import body, crd, part
from tests.stages.deliver.deliveries import WIDGET, WIDGETS, Delivery, deployment, identity, settings, web

from cluster_forge.gitops import owners, ownership, removal
from cluster_forge.gitops.release import Result
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import ApplyOptions, Patch
from cluster_forge.stages.deliver.cluster_records import claiming, claims, releases
from cluster_forge.stages.deliver.direct import delivery as direct
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.removal import bystanders, emptied, pruning
from cluster_forge.stages.deliver.removal.bystanders import Bystanders
from cluster_forge.stages.deliver.removal.deletion import Deletion
from cluster_forge.stages.deliver.removal.request import RemoveRequest
from cluster_forge.stages.deliver.remove import remove

SPACE = body("v1", "Namespace", "shop")
WEBHOOKS = "admissionregistration.k8s.io"
VOLUME = identity("PersistentVolumeClaim", "data-one-0", "shop")


def deploy(delivery: Delivery, bodies: Sequence[dict[str, Any]], *, narrowed: str = "", **options: Any) -> Deletion:
    """Claim, apply and prune, as `deploy` does, as a release."""
    parts: list[Part] = [part("shop", bodies)]
    deployed = deployment(parts, narrowed=narrowed)
    verdict = owners.judge(owners.Facts(stack="demo", root="", wanted=claiming.listed(deployed.plan)))
    claiming.claim(deployed.plan, verdict, delivery.tools, run="host/1/0")
    begun = releases.begin(deployed, delivery.tools, run="host/1/0").release
    direct.deliver(deployed, delivery.tools, DeployOptions())
    done = pruning.prune(deployed.plan, delivery.tools, **{"timeout": 30.0, **options})
    releases.end(begun, Result.DEPLOYED, delivery.tools)
    return done


def removed(delivery: Delivery, **request: Any) -> dict[ObjectId, str]:
    """What stays, and why."""
    return dict(remove(RemoveRequest(stack="demo", run="host/2/0", **request), delivery.tools).kept)


def claim(delivery: Delivery, stack: str, *objects: dict[str, Any]) -> None:
    """What another stack has in the cluster, applied by its `deploy`."""
    for one in objects:
        delivery.cluster.apply(one, ApplyOptions(manager="cluster-forge"))
    listed = "".join(ownership.line(ObjectId.of(one), "-") for one in objects)
    labels = {"cluster-forge/claim": "objects", "cluster-forge/stack": stack}
    metadata = {"name": f"claim-{stack}", "namespace": "cluster-forge", "labels": labels}
    delivery.cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"objects": listed}})


def volume(delivery: Delivery, owner: ObjectId, *, kind: str = "", api: str = "") -> None:
    """A claim of a volume that a controller made for the owner."""
    uid = delivery.cluster.objects()[owner]["metadata"]["uid"]
    reference = {"apiVersion": api, "kind": kind or owner.kind, "name": owner.name, "uid": uid}
    made = body("v1", "PersistentVolumeClaim", VOLUME.name, "shop", spec={})
    made["metadata"]["ownerReferences"] = [reference]
    delivery.cluster.put(made, manager="operator")


@pytest.mark.parametrize("with_data", [False, True])
def test_a_namespace_with_objects_of_another_stack_stays_when_a_stack_goes(*, with_data: bool) -> None:
    """Both deployed by cluster-forge: the field managers do not tell the one from the other."""
    delivery = Delivery()
    deploy(delivery, [SPACE, web()])
    claim(delivery, "other", settings("theirs"))
    kept = removed(delivery, data=with_data)
    assert kept[identity("Namespace", "shop")] == "ConfigMap/shop/theirs of the stack other would be deleted with it"
    assert identity("ConfigMap", "theirs", "shop") in delivery.cluster.objects()
    assert identity("Deployment", "web", "shop", "apps") not in delivery.cluster.objects()


def test_a_namespace_that_left_the_stack_keeps_what_the_stack_still_has_in_it() -> None:
    delivery = Delivery()
    deploy(delivery, [SPACE, web(), settings()])
    web_id, space = identity("Deployment", "web", "shop", "apps"), identity("Namespace", "shop")
    done = deploy(delivery, [web()], prune_data=True)
    assert done.deleted == (identity("ConfigMap", "settings", "shop"),)
    assert {web_id, space} < delivery.cluster.objects().keys()
    claimed = Bystanders(claimed={web_id: "demo"}, with_volumes=True)
    said = "Deployment.apps/shop/web of the stack demo would be deleted with it"
    assert claimed.reasons({space: "1"}, delivery.cluster) == {space: said}
    assert claimed.reasons({space: "1", web_id: "2"}, delivery.cluster) == {}


@pytest.mark.parametrize("way", ["prune", "remove"])
def test_custom_resources_of_another_stack_keep_their_crd(way: str) -> None:
    delivery = Delivery()
    deploy(delivery, [WIDGETS, web()])
    claim(
        delivery,
        "other",
        body("v1", "Namespace", "elsewhere"),
        {**WIDGET, "metadata": {"name": "w", "namespace": "elsewhere"}},
    )
    is_pruned = way == "prune"
    kept = dict(deploy(delivery, [web()], prune_data=True).kept) if is_pruned else removed(delivery, data=True)
    definition = identity("CustomResourceDefinition", "widgets.example.com", group="apiextensions.k8s.io")
    assert kept[definition] == "Widget.example.com/elsewhere/w of the stack other would be deleted with it"
    assert identity("Widget", "w", "elsewhere", "example.com") in delivery.cluster.objects()


@pytest.mark.parametrize(("with_data", "is_there"), [(False, True), (True, False)])
def test_the_volumes_of_a_custom_resource_go_only_if_they_are_asked_for(*, with_data: bool, is_there: bool) -> None:
    delivery = Delivery()
    deploy(delivery, [WIDGETS, WIDGET, web()])
    widget = identity("Widget", "one", "shop", "example.com")
    volume(delivery, widget, api="example.com/v1")
    done = deploy(delivery, [WIDGETS, web()], prune_data=with_data)
    assert (VOLUME in delivery.cluster.objects()) is is_there
    assert (widget in delivery.cluster.objects()) is is_there
    assert (widget in claims.entries(delivery.cluster, "demo")) is is_there
    said = "it owns PersistentVolumeClaim/shop/data-one-0, which would be deleted with it"
    assert dict(done.kept) == ({widget: said} if is_there else {})


def test_a_volume_below_an_object_that_a_controller_made_counts_too() -> None:
    delivery = Delivery()
    deploy(delivery, [WIDGETS, WIDGET, web()])
    widget = identity("Widget", "one", "shop", "example.com")
    uid = delivery.cluster.objects()[widget]["metadata"]["uid"]
    between = body("apps/v1", "StatefulSet", "one", "shop", spec={})
    between["metadata"]["ownerReferences"] = [
        {"apiVersion": "example.com/v1", "kind": "Widget", "name": "one", "uid": uid}
    ]
    delivery.cluster.put(between, manager="operator")
    volume(delivery, identity("StatefulSet", "one", "shop", "apps"), api="apps/v1")
    assert widget in removed(delivery)
    assert VOLUME in delivery.cluster.objects()


def test_the_volume_of_a_pod_alone_goes_with_it() -> None:
    delivery = Delivery()
    deploy(delivery, [web(), settings()])
    volume(delivery, identity("Deployment", "web", "shop", "apps"), kind="Pod", api="v1")
    assert deploy(delivery, [settings()]).deleted == (identity("Deployment", "web", "shop", "apps"),)


def test_owners_that_own_each_other_end() -> None:
    delivery = Delivery()
    pair = [body("v1", "ConfigMap", name, "shop") for name in ("a", "b")]
    delivery.cluster.put(SPACE, *pair)
    uids = [delivery.cluster.objects()[identity("ConfigMap", name, "shop")]["metadata"]["uid"] for name in ("a", "b")]
    for one, other, uid in ((pair[0], "b", uids[1]), (pair[1], "a", uids[0])):
        one["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "ConfigMap", "name": other, "uid": uid}]
    delivery.cluster.put(*pair)
    volume(delivery, identity("ConfigMap", "a", "shop"), api="v1")
    assert Bystanders().reasons({identity("ConfigMap", "c", "shop"): "x"}, delivery.cluster) == {}


def test_a_webhook_that_others_took_over_stays() -> None:
    delivery = Delivery()
    hook = body(f"{WEBHOOKS}/v1", "ValidatingWebhookConfiguration", "shop", webhooks=[])
    deploy(delivery, [hook, web()])
    target = identity("ValidatingWebhookConfiguration", "shop", group=WEBHOOKS)
    annotation = {"annotations": {"argocd.argoproj.io/tracking-id": "theirs:x/y:z/shop"}}
    delivery.cluster.patch(target, {"metadata": annotation}, Patch.MERGE, manager="argocd-controller")
    assert removed(delivery)[target] == "the Application theirs"


def test_an_application_of_others_with_a_name_like_ours_is_not_ours() -> None:
    tracked = {"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "demo.shop:/ConfigMap:shop/settings"}}}
    assert removal.owner("demo", tracked) == ""
    assert removal.owner("demo", tracked, strangers={"demo.shop"}) == "the Application demo.shop"


@pytest.mark.parametrize("label", ["demo", "other"])
def test_strangers_are_the_applications_of_others(label: str) -> None:
    delivery = Delivery()
    names = {"kind": "Application", "plural": "applications"}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}]
    delivery.cluster.put(
        crd("applications.argoproj.io", group="argoproj.io", names=names, scope="Namespaced", versions=versions)
    )
    delivery.cluster.put(
        SPACE, body("argoproj.io/v1", "Application", "demo.shop", "shop", labels={"cluster-forge/stack": label})
    )
    assert bystanders.strangers(delivery.cluster, "demo") == ({"demo.shop"} if label == "other" else set())


def test_nothing_that_the_plan_applies_is_pruned_whatever_the_list_says() -> None:
    delivery = Delivery()
    deploy(delivery, [web(), settings()])
    plan = deployment([part("shop", [web(), settings()])]).plan
    emptied = replace(plan, claim=type(plan.claim)({**plan.claim.files, ownership.OBJECTS: b""}))
    assert pruning.prune(emptied, delivery.tools, timeout=30.0) == Deletion()


def test_a_namespace_older_than_the_claim_was_there_before_the_stack() -> None:
    delivery = Delivery()
    deploy(delivery, [SPACE, web()])  # which the fake cluster creates at 2026-01-01T00:00:00Z
    for since, why in (
        ("2026-01-01T00:00:00Z", ""),
        ("2026-01-01T00:00:01Z", "it was there before the stack: since 2026-01-01T00:00:00Z"),
        (None, ""),
    ):
        judged = emptied.reasons_to_keep(["shop"], delivery.tools, with_data=True, since=since)
        assert judged == {"shop": why}


def test_without_a_release_to_name_the_last_good_one_of_as_many_components_is_chosen() -> None:
    delivery = Delivery()
    deploy(delivery, [web()])
    deploy(delivery, [web()], narrowed="component shop")
    kept = releases.listed(delivery.cluster, "demo")
    assert [one.narrowed for one in kept] == ["", "component shop"]
    assert releases.chosen([*kept, replace(kept[0], number=3)], None).number == 1
    assert releases.chosen([*kept, replace(kept[1], number=3)], None).number == 2
