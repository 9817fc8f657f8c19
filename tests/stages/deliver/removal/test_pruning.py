"""What a stack holds no longer leaves a fake cluster after a direct delivery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.gitops.conftest import body, part
from tests.stages.deliver.deliveries import VOLUME, WIDGET, WIDGETS, Delivery, deployment, identity, settings, web

from cluster_forge.foundation.errors import DeploymentError
from cluster_forge.gitops import applyset, owners, ownership, removal
from cluster_forge.gitops.delivery_mode import Delivery as Delivered
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part
from cluster_forge.ports.cluster import ApplyOptions, Patch
from cluster_forge.stages.deliver.cluster_records import claiming, claims
from cluster_forge.stages.deliver.removal import pruning
from cluster_forge.stages.deliver.removal.deletion import Deletion

SPACE = body("v1", "Namespace", "shop")
HOOK = body("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "shop", webhooks=[])
CLAIM = ownership.claim_id("demo")
SET = applyset.identity(CLAIM)


def deploy(delivery: Delivery, bodies: Sequence[dict[str, Any]], **options: Any) -> Deletion:
    """Claim, apply and prune, as `deploy` does."""
    parts: Sequence[Part] = [part("shop", bodies)]
    plan = deployment(parts).plan
    wanted = dict(ownership.entries(plan.claim[ownership.OBJECTS].decode()))
    present = claims.entries(delivery.cluster, "demo")
    facts = owners.Facts(
        stack="demo",
        root="",
        wanted=wanted,
        claims=[owners.Claimed(stack="demo", id=key, application=word) for key, word in present.items()],
    )
    claiming.claim(plan, owners.judge(facts), delivery.tools, run="host/1/0")
    delivery.direct(parts)
    return pruning.prune(plan, delivery.tools, **{"timeout": 30.0, **options})


def claimed(delivery: Delivery) -> set[ObjectId]:
    return set(claims.entries(delivery.cluster, "demo"))


def test_members_and_parent_are_an_applyset() -> None:
    """KEP-3659: the id is that of kubectl for ``--applyset=configmap/claim-demo -n cluster-forge``."""
    delivery = Delivery()
    deploy(delivery, [SPACE, web(), settings()])
    metadata = delivery.there("ConfigMap", "claim-demo", "cluster-forge")["metadata"]
    assert metadata["labels"][applyset.ID] == SET == "applyset-2fj_3dHX2A0yb0z5xW0ocQaEmDSQ4PPeEp0iE7a8Ak4-v1"
    assert metadata["annotations"][applyset.KINDS] == "ConfigMap,Deployment.apps,Namespace"
    assert metadata["annotations"][applyset.NAMESPACES] == "shop"
    assert metadata["annotations"][applyset.TOOLING].startswith("cluster-forge/v")
    for kind, group in (("Deployment", "apps"), ("ConfigMap", "")):
        name = "web" if kind == "Deployment" else "settings"
        assert delivery.there(kind, name, "shop", group)["metadata"]["labels"][applyset.PART_OF] == SET


def test_what_left_the_stack_is_deleted() -> None:
    delivery = Delivery()
    deploy(delivery, [web(), settings()])
    done = deploy(delivery, [web()])
    gone = identity("ConfigMap", "settings", "shop")
    assert (done.deleted, done.kept) == ((gone,), ())
    assert gone not in delivery.cluster.objects()
    assert claimed(delivery) == {identity("Deployment", "web", "shop", "apps")}
    annotations = delivery.there("ConfigMap", "claim-demo", "cluster-forge")["metadata"]["annotations"]
    assert annotations[applyset.KINDS] == "Deployment.apps"


def test_what_a_failed_deployment_has_not_pruned_is_pruned_by_the_next() -> None:
    delivery = Delivery()
    deploy(delivery, [web(), settings()])
    plan = deployment([part("shop", [web()])]).plan
    facts = owners.Facts(
        stack="demo",
        root="",
        wanted=dict(ownership.entries(plan.claim[ownership.OBJECTS].decode())),
        claims=[
            owners.Claimed(stack="demo", id=key, application=word)
            for key, word in claims.entries(delivery.cluster, "demo").items()
        ],
    )
    claiming.claim(plan, owners.judge(facts), delivery.tools, run="host/2/0")  # … and then it is killed
    assert claims.entries(delivery.cluster, "demo")[identity("ConfigMap", "settings", "shop")] == owners.LEAVES
    annotations = delivery.there("ConfigMap", "claim-demo", "cluster-forge")["metadata"]["annotations"]
    assert annotations[applyset.KINDS] == "ConfigMap,Deployment.apps"
    assert deploy(delivery, [web()]).deleted == (identity("ConfigMap", "settings", "shop"),)


def test_data_stays_and_stays_claimed() -> None:
    delivery = Delivery()
    deploy(delivery, [SPACE, WIDGETS, VOLUME, web()])
    done = deploy(delivery, [web()])
    data = {
        identity("Namespace", "shop"),
        identity("PersistentVolumeClaim", "data", "shop"),
        identity("CustomResourceDefinition", "widgets.example.com", group="apiextensions.k8s.io"),
    }
    assert (done.deleted, {key for key, _ in done.kept}) == ((), data)
    assert data < set(delivery.cluster.objects())
    assert data < claimed(delivery)


def test_data_goes_if_it_is_asked_for() -> None:
    delivery = Delivery()
    deploy(delivery, [WIDGETS, VOLUME, web()])
    done = deploy(delivery, [web()], prune_data=True)
    assert [key.kind for key in done.deleted] == ["CustomResourceDefinition", "PersistentVolumeClaim"]
    assert claimed(delivery) == {identity("Deployment", "web", "shop", "apps")}


@pytest.mark.parametrize("prune_data", [False, True])
def test_where_an_engine_prunes_only_data_is_looked_at(prune_data: bool) -> None:
    """It is named, or goes if it is asked for: an engine never prunes it."""
    delivery = Delivery()
    deploy(delivery, [VOLUME, web(), settings()])
    plan = replace(deployment([part("shop", [web()])]).plan, delivery=Delivered.EXISTING)
    done = pruning.prune(plan, delivery.tools, timeout=30.0, prune_data=prune_data)
    volume, other = identity("PersistentVolumeClaim", "data", "shop"), identity("ConfigMap", "settings", "shop")
    assert (done.deleted, done.kept) == (((volume,), ()) if prune_data else ((), ((volume, "it holds data"),)))
    assert other in delivery.cluster.objects()
    assert (volume in delivery.cluster.objects()) is not prune_data


TAKEN = [
    ({"labels": {applyset.PART_OF: "applyset-x-v1"}}, "the ApplySet applyset-x-v1"),
    ({"annotations": {"argocd.argoproj.io/tracking-id": "theirs:/ConfigMap:shop/settings"}}, "the Application theirs"),
]


@pytest.mark.parametrize(("metadata", "owner"), TAKEN)
def test_what_others_took_over_is_left_with_a_word(metadata: dict[str, Any], owner: str) -> None:
    delivery = Delivery()
    deploy(delivery, [web(), settings()])
    taken = identity("ConfigMap", "settings", "shop")
    delivery.cluster.patch(taken, {"metadata": metadata}, Patch.MERGE, manager="others")
    done = deploy(delivery, [web()])
    assert (done.deleted, done.kept) == ((), ((taken, owner),))
    assert taken in delivery.cluster.objects()
    assert taken not in claimed(delivery)


def test_an_object_of_a_helm_release_or_without_our_fields_is_left() -> None:
    managed = [{"manager": "helm"}]
    release = {"annotations": {"meta.helm.sh/release-name": "web"}, "managedFields": managed}
    assert removal.owner("demo", {"metadata": release}) == "the Helm release web"
    assert removal.owner("demo", {"metadata": {"managedFields": [{"manager": "kubectl"}]}}).startswith("others")
    assert removal.owner("demo", {"metadata": {"managedFields": [{"manager": "cluster-forge"}]}}) == ""


def test_an_object_that_others_created_again_is_left() -> None:
    delivery = Delivery()
    deploy(delivery, [web(), settings()])
    taken = identity("ConfigMap", "settings", "shop")
    delivery.cluster.delete(taken)
    delivery.cluster.apply(settings(), ApplyOptions(manager="others"))
    assert deploy(delivery, [web()]).deleted == ()
    assert taken in delivery.cluster.objects()


def test_what_is_gone_already_is_not_an_error() -> None:
    delivery = Delivery()
    deploy(delivery, [web(), settings()])
    delivery.cluster.delete(identity("ConfigMap", "settings", "shop"))
    done = deploy(delivery, [web()])
    assert (done.deleted, done.absent) == ((), (identity("ConfigMap", "settings", "shop"),))


def test_a_finalizer_that_holds_an_object_is_named_and_the_object_stays_claimed() -> None:
    delivery = Delivery()
    deploy(delivery, [web(), settings()])
    held = identity("ConfigMap", "settings", "shop")
    delivery.cluster.patch(held, {"metadata": {"finalizers": ["example.com/guard"]}}, Patch.MERGE, manager="others")
    with pytest.raises(DeploymentError, match=r"30 s after it was deleted: the finalizer example\.com/guard holds it"):
        deploy(delivery, [web()])
    assert held in claimed(delivery)
    delivery.cluster.patch(held, {"metadata": {"finalizers": None}}, Patch.MERGE, manager="others")
    assert deploy(delivery, [web()]).absent == (held,)


def test_a_narrowed_stack_prunes_nothing() -> None:
    delivery = Delivery()
    deploy(delivery, [web(), settings()])
    plan = deployment([part("shop", [web()])]).plan
    assert pruning.prune(replace(plan, narrowed="shop"), delivery.tools, timeout=1) == Deletion()


def test_the_order_of_deletion() -> None:
    objects = [ObjectId.of(one) for one in (SPACE, WIDGETS, VOLUME, web(), settings(), WIDGET, HOOK)]
    kinds = [[target.kind for target in phase] for phase in removal.phases(objects, 33)]
    assert kinds == [
        ["Widget"],
        ["ValidatingWebhookConfiguration"],
        ["ConfigMap", "Deployment"],
        ["CustomResourceDefinition"],
        ["PersistentVolumeClaim"],
        ["Namespace"],
    ]
