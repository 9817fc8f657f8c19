"""How far a stack is that Argo CD or Flux delivers, as its Applications or Kustomizations say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.gitops.conftest import body, crd_of
from tests.stages.deliver.argocd.test_delivery import EXISTING, GITOPS, SHOP, Look, deployed, healthy, unreadable
from tests.stages.deliver.deliveries import Delivery, cast
from tests.stages.deliver.flux import test_delivery as flux

from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.deliver.look.component_status import ComponentStatus
from cluster_forge.stages.deliver.status import StatusRequest, status

NAME = "demo.shop"


def seen(looks: Mapping[str, Look], version: str = "v-2") -> ComponentStatus:
    """The component ``shop`` after a deployment of version 2, for the stack cast as ``version``."""
    delivery, _, _ = deployed(EXISTING, [SHOP], looks, *GITOPS, waits=False)
    deployment = cast(EXISTING, [SHOP], version)
    (component,) = status(StatusRequest(deployment=deployment, parts=[SHOP]), delivery.tools).components
    return component


def degraded(application: Body) -> dict[str, Any]:
    resource = {
        "group": "apps",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "health": {"status": "Degraded", "message": "exceeded its progress deadline"},
    }
    return {**healthy(application), "health": {"status": "Degraded"}, "resources": [resource]}


def out_of_sync(application: Body) -> dict[str, Any]:
    state = healthy(application)
    conditions = [{"type": "ComparisonError", "message": "exceeded max combined manifest file size"}]
    return {**state, "sync": {**state["sync"], "status": "OutOfSync"}, "conditions": conditions}


def test_synced_and_healthy() -> None:
    found = seen({})
    assert (found.sync, found.condition, found.messages) == ("Synced", "Healthy", ())


def test_degraded_with_the_messages_of_argo_cd() -> None:
    found = seen({NAME: degraded})
    assert (found.sync, found.condition) == ("Synced", "Degraded")
    assert found.messages == ("Deployment/web: exceeded its progress deadline",)


def test_out_of_sync_with_the_reason() -> None:
    found = seen({NAME: out_of_sync})
    assert (found.sync, found.condition) == ("OutOfSync", "Healthy")
    assert found.messages == ("exceeded max combined manifest file size",)


def test_an_application_of_another_revision() -> None:
    found = seen({}, version="v-3")
    assert (found.sync, found.condition, found.messages) == ("OutOfSync", "Healthy", ("Application demo.shop: at v-2",))


def test_an_application_without_a_status() -> None:
    found = seen({NAME: lambda _: {}})
    assert (found.sync, found.condition) == ("OutOfSync", "Unknown")


@pytest.mark.parametrize(
    ("live", "is_named"),
    [
        (body("networking.k8s.io/v1", "Ingress", "web", "shop", spec={}, status={"loadBalancer": {}}), True),
        (
            body(
                "networking.k8s.io/v1",
                "Ingress",
                "web",
                "shop",
                status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
            ),
            False,
        ),
        (body("example.com/v1alpha1", "Widget", "web", "shop"), True),
        (body("example.com/v1alpha1", "Widget", "web", "shop", status={"parents": [{"conditions": []}]}), False),
        (body("v1", "ConfigMap", "web", "shop"), False),
        (body("v1", "Service", "web", "shop", spec={"type": "ClusterIP"}, status={"loadBalancer": {}}), False),
        (body("batch/v1", "CronJob", "web", "shop", spec={}), False),
    ],
)
def test_what_no_controller_has_answered_is_named_where_nothing_else_is_wrong(live: Body, is_named: bool) -> None:
    group, _, _ = live["apiVersion"].rpartition("/")
    resource = {"group": group, "kind": live["kind"], "namespace": "shop", "name": "web"}
    progressing = {"health": {"status": "Progressing"}, "resources": [resource]}
    widgets = crd_of("example.com", "Widget", subresources={"status": {}})
    delivery, _, _ = deployed(
        EXISTING, [SHOP], {NAME: lambda one: {**healthy(one), **progressing}}, *GITOPS, widgets, live, waits=False
    )
    (shop,) = status(StatusRequest(deployment=cast(EXISTING, [SHOP]), parts=[SHOP]), delivery.tools).components
    named = f"{ObjectId.of(live)}: its status is empty: no controller has taken it up"
    assert (shop.condition, named in shop.messages) == ("Progressing", is_named)


def by_flux(**failing: str) -> dict[str, ComponentStatus]:
    """The components after a deployment through Flux, by name; ``failing`` are those with a Kustomization that fails."""
    parts = [flux.BASE, flux.SHOP]
    messages = {f"demo.{name}": message for name, message in failing.items()}
    delivery, _, _ = flux.deployed(flux.EXISTING, parts, failing=messages, waits=False)
    deployment = cast(flux.EXISTING, parts)
    seen = status(StatusRequest(deployment=deployment, parts=parts), delivery.tools)
    return {str(component.name): component for component in seen.components}


def test_kustomizations_that_are_ready() -> None:
    assert {(one.sync, one.condition, one.messages) for one in by_flux().values()} == {("Synced", "Healthy", ())}


def test_a_kustomization_that_fails_and_one_that_waits_for_it() -> None:
    seen = by_flux(base="health check failed: ConfigMap/base")
    assert (seen["base"].sync, seen["base"].condition) == ("OutOfSync", "Degraded")
    assert seen["base"].messages == ("Kustomization demo.base: health check failed: ConfigMap/base",)
    assert (seen["shop"].sync, seen["shop"].condition) == ("OutOfSync", "Progressing")
    assert seen["shop"].messages == ("Kustomization demo.shop: dependency 'demo.base' is not ready",)


def test_before_flux_has_done_anything_its_kustomizations_are_missing() -> None:
    deployment = cast(flux.EXISTING, [flux.BASE])
    (base,) = status(StatusRequest(deployment=deployment, parts=[flux.BASE]), Delivery().tools).components
    assert (base.condition, base.messages) == ("Missing", ("there is no Kustomization demo.base in cluster-forge",))


def test_a_source_that_flux_cannot_read_is_the_reason_why_its_kustomizations_are_missing() -> None:
    delivery, deployment = Delivery(), cast(flux.EXISTING, [flux.BASE])
    source = body("source.toolkit.fluxcd.io/v1", "GitRepository", NAME.partition(".")[0], "cluster-forge")
    condition = {"type": "Ready", "status": "False", "reason": "GitOperationFailed", "message": "no tag v-2"}
    delivery.cluster.put(*flux.KINDS, {**source, "status": {"conditions": [condition]}})
    (base,) = status(StatusRequest(deployment=deployment, parts=[flux.BASE]), delivery.tools).components
    assert base.messages[0] == "GitRepository demo: no tag v-2"


def test_a_root_that_is_not_applied_is_the_reason_why_its_kustomizations_are_missing() -> None:
    delivery, deployment = Delivery(), cast(flux.EXISTING, [flux.BASE])
    root = body("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "demo.flux", "cluster-forge")
    condition = {"type": "Ready", "status": "False", "reason": "BuildFailed", "message": "no such path"}
    delivery.cluster.put(*flux.KINDS, {**root, "status": {"conditions": [condition]}})
    (base,) = status(StatusRequest(deployment=deployment, parts=[flux.BASE]), delivery.tools).components
    assert base.messages[0] == "Kustomization demo.flux: no such path"


def test_a_root_that_cannot_be_read_is_the_reason_why_its_applications_are_missing() -> None:
    delivery, _, _ = deployed(
        EXISTING, [SHOP], {"demo.argo-apps": unreadable}, *GITOPS, has_children=False, waits=False
    )
    (shop,) = status(StatusRequest(deployment=cast(EXISTING, [SHOP]), parts=[SHOP]), delivery.tools).components
    assert shop.condition == "Missing"
    assert shop.messages[0].startswith("Application demo.argo-apps: Failed to load target state")


def test_an_application_that_was_paused_before_this_revision() -> None:
    """What Argo CD said of the revision before is not said of this one."""

    def before(application: Body) -> dict[str, Any]:
        source = {**application["spec"]["source"], "targetRevision": "v-1"}
        state = healthy(application)
        return {**state, "sync": {**state["sync"], "comparedTo": {"source": source}}}

    found = seen({NAME: before})
    assert (found.sync, found.messages) == ("OutOfSync", (f"Application {NAME}: not compared with the revision yet",))
