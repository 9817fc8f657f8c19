"""Direct delivery to a fake cluster."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.fake_cluster import FakeCluster, FakeRequest
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import body, part
from tests.stages.deliver.deliveries import WIDGET, WIDGETS, Delivery, identity, needing, settings, web

from cluster_forge.foundation.errors import ClusterError, RefusalCause, RefusedError
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.ports.cluster import Patch
from cluster_forge.stages.deliver.results import ComponentResult, State

SHOP = part("shop", [web(), settings()])


def states(results: Mapping[str, ComponentResult]) -> dict[str, State]:
    return {name: result.state for name, result in results.items()}


def test_everything_is_there_and_ready() -> None:
    delivery = Delivery()
    results = delivery.direct([SHOP])
    assert states(results) == {"shop": State.READY}
    assert (results["shop"].changed, results["shop"].objects) == (2, 2)
    assert delivery.there("ConfigMap", "settings", "shop")["data"] == {"a": "1"}
    assert delivery.applied() == ["Secret/applied-demo", "Namespace/shop", "ConfigMap/settings", "Deployment/web"]


def test_a_second_deployment_applies_nothing() -> None:
    delivery = Delivery()
    delivery.direct([SHOP])
    first = len(delivery.cluster.requests)
    results = delivery.direct([SHOP])
    assert states(results) == {"shop": State.UNCHANGED}
    assert (results["shop"].changed, delivery.applied()) == (0, ["Secret/applied-demo"])
    assert len(delivery.cluster.requests) < first


def test_a_namespace_of_many_components_is_applied_once() -> None:
    delivery = Delivery()
    later = needing(part("later", [settings("x", "shop")], wave=10), "shop")
    assert states(delivery.direct([SHOP, later])) == {"shop": State.READY, "later": State.READY}
    assert delivery.applied().count("Namespace/shop") == 1
    assert states(delivery.direct([SHOP, later])) == {"shop": State.UNCHANGED, "later": State.UNCHANGED}


def test_what_another_user_changed_is_applied_again() -> None:
    delivery = Delivery()
    delivery.direct([SHOP])
    delivery.cluster.patch(
        identity("ConfigMap", "settings", "shop"),
        {"data": {"a": "2"}},
        Patch.MERGE,
        manager="kubectl",
    )
    assert delivery.direct([SHOP])["shop"].message.startswith("ConfigMap/shop/settings: other managers have set fields")
    assert states(delivery.direct([SHOP], force_conflicts=True)) == {"shop": State.READY}
    assert delivery.there("ConfigMap", "settings", "shop")["data"] == {"a": "1"}
    assert "Deployment/web" not in delivery.applied()


def test_what_another_user_deleted_is_applied_again() -> None:
    delivery = Delivery()
    delivery.direct([SHOP])
    delivery.cluster.delete(identity("ConfigMap", "settings", "shop"))
    delivery.direct([SHOP])
    assert delivery.applied() == ["Secret/applied-demo", "ConfigMap/settings"]


def test_a_run_that_is_killed_has_the_crds_in_its_record() -> None:
    """They cost the API server most."""

    def kill(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name == "settings":
            raise KeyboardInterrupt

    delivery = Delivery(FakeCluster(on_change=becomes_ready, before=kill))
    parts = [part("shop", [WIDGETS, web(), settings()])]
    with pytest.raises(KeyboardInterrupt):
        delivery.direct(parts)
    delivery.cluster.before = lambda _: None
    assert states(delivery.direct(parts)) == {"shop": State.READY}
    assert "CustomResourceDefinition/widgets.example.com" not in delivery.applied()


@pytest.mark.parametrize("verb", ["apply", "list"])
@pytest.mark.parametrize("is_lasting", [True, False])
def test_what_does_not_go_away_by_waiting_is_said_at_once(verb: str, is_lasting: bool) -> None:
    def fail(request: FakeRequest) -> None:
        if (request.verb, request.target.kind) == (verb, "Deployment"):
            raise ClusterError("its certificate is not trusted", is_lasting=is_lasting)

    delivery = Delivery(FakeCluster(before=fail))
    result = delivery.direct([SHOP], timeout=100)["shop"]
    assert result.state is State.FAILED
    assert "its certificate is not trusted" in result.message
    assert (delivery.clock.now < 5) is is_lasting


def test_an_error_stops_only_what_needs_the_component() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name == "bad":
            raise RefusedError("denied the request", where=str(request.target), status=403, reason="Forbidden")

    delivery = Delivery(FakeCluster(on_change=becomes_ready, before=refuse))
    results = delivery.direct(
        [
            part("base", [settings("bad", "base")]),
            needing(part("top", [settings("x", "top")]), "base", wave=10),
            SHOP,
        ]
    )
    assert states(results) == {"base": State.FAILED, "shop": State.READY, "top": State.BLOCKED}
    assert results["top"].message == "needs base"
    assert delivery.cluster.get(identity("ConfigMap", "x", "top")) is None


def test_a_run_after_a_failure_goes_on_where_it_stopped() -> None:
    is_broken = True

    def refuse(request: FakeRequest) -> None:
        if is_broken and request.verb == "apply" and request.target.kind == "Deployment":
            raise RefusedError("exceeded quota", status=403, reason="Forbidden")

    delivery = Delivery(FakeCluster(on_change=becomes_ready, before=refuse))
    assert states(delivery.direct([SHOP])) == {"shop": State.FAILED}
    is_broken = False
    assert states(delivery.direct([SHOP])) == {"shop": State.READY}
    assert delivery.applied() == ["Secret/applied-demo", "Deployment/web"]


def test_a_component_waits_for_what_it_needs() -> None:
    def slowly(cluster: FakeCluster, changed: Body) -> None:
        if changed["kind"] == "Deployment" and changed["metadata"]["name"] == "web":
            delivery.clock.at(delivery.clock.now + 7, lambda: becomes_ready(cluster, changed))
        else:
            becomes_ready(cluster, changed)

    delivery = Delivery(FakeCluster(on_change=slowly))
    results = delivery.direct([SHOP, needing(part("top", [settings("x", "top")]), "shop", wave=10)])
    assert states(results) == {"shop": State.READY, "top": State.READY}
    assert 7 <= results["shop"].seconds <= 9
    assert ("waits", "deploy", "shop", "Deployment/web: 0 of 1 replica updated") in delivery.reporter.events


def test_what_never_gets_ready_is_named() -> None:
    delivery = Delivery(FakeCluster())
    results = delivery.direct([SHOP], timeout=30)
    assert states(results) == {"shop": State.FAILED}
    assert results["shop"].message == "Deployment.apps/shop/web: is not ready after 30 s: 0 of 1 replica updated"


def test_crds_come_before_their_objects() -> None:
    delivery = Delivery()
    results = delivery.direct(
        [part("widgets", [WIDGETS], wave=-50), needing(part("shop", [WIDGET]), "widgets", wave=-40)]
    )
    assert states(results) == {"shop": State.READY, "widgets": State.READY}
    assert delivery.applied().index("CustomResourceDefinition/widgets.example.com") < delivery.applied().index(
        "Widget/one"
    )


@pytest.mark.parametrize(
    ("is_operated", "condition", "state"),
    [(True, "True", State.READY), (True, "False", State.FAILED), (False, "False", State.READY)],
)
def test_custom_resources_of_an_operator_of_the_stack_are_awaited(
    *, is_operated: bool, condition: str, state: State
) -> None:
    def operates(cluster: FakeCluster, body: Body) -> None:
        becomes_ready(cluster, body)
        if body["kind"] == "Widget" and "status" not in body:
            told = {"type": "Ready", "status": condition, "message": "no disk"}
            cluster.set_status(ObjectId.of(body), {"conditions": [told]})

    delivery = Delivery(FakeCluster(on_change=operates))
    (version,) = WIDGETS["spec"]["versions"]
    kinds = {**WIDGETS, "spec": {**WIDGETS["spec"], "versions": [{**version, "subresources": {"status": {}}}]}}
    operator = part("operator", [kinds, web("operator", "shop")] if is_operated else [kinds], wave=-50)
    shop, after = needing(part("shop", [WIDGET]), "operator"), needing(part("after", [settings()], wave=10), "shop")
    results = delivery.direct([operator, shop, after], timeout=20)
    after_it = State.BLOCKED if state is State.FAILED else State.READY
    assert states(results) == {"operator": State.READY, "shop": state, "after": after_it}
    assert ("no disk" in results["shop"].message) is (state is State.FAILED)


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("failed calling webhook", status=500, reason="InternalError"),
        RefusedError("the server is currently unable to handle the request", status=503),
        RefusedError("the object has been modified", status=409, reason="Conflict"),
        RefusedError('namespaces "shop" not found', status=404, reason="NotFound"),
        RefusedError(
            "forbidden",
            status=403,
            reason="Forbidden",
            causes=(RefusalCause(reason="NamespaceTerminating", message="is being terminated"),),
        ),
        ClusterError("connection refused"),
    ],
    ids=str,
)
def test_what_fails_for_a_while_is_tried_again(error: Exception) -> None:
    left = 3

    def refuse(request: FakeRequest) -> None:
        nonlocal left
        if request.verb == "apply" and request.target.name == "settings" and left:
            left -= 1
            raise error

    delivery = Delivery(FakeCluster(on_change=becomes_ready, before=refuse))
    assert states(delivery.direct([SHOP])) == {"shop": State.READY}
    assert delivery.applied().count("Deployment/web") == 1
    assert delivery.applied().count("ConfigMap/settings") == 4


def test_of_what_a_webhook_refuses_while_it_cannot_be_called_one_object_asks_again() -> None:
    refused: list[str] = []

    def refuse(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name in "abcd" and len(refused) < 4 + 3:
            refused.append(request.target.name)
            message = 'Internal error occurred: failed calling webhook "mutate.example.com": no endpoints available'
            raise RefusedError(message, status=500, reason="InternalError")

    delivery = Delivery(FakeCluster(on_change=becomes_ready, before=refuse))
    assert states(delivery.direct([part("shop", [settings(name) for name in "abcd"])])) == {"shop": State.READY}
    assert refused == ["a", "b", "c", "d", "a", "a", "a"]
    assert [name for name in delivery.applied() if name.startswith("ConfigMap")].count("ConfigMap/b") == 2


def test_an_object_for_which_alone_a_webhook_fails_holds_no_other_for_long() -> None:
    def refuse(request: FakeRequest) -> None:
        name = request.target.name
        if request.verb == "apply" and delivery.clock.now < first.get(name, 0):
            raise RefusedError('failed calling webhook "mutate.example.com": EOF', status=500)

    first = {"a": 300.0, "b": 1.0}
    delivery = Delivery(FakeCluster(on_change=becomes_ready, before=refuse))
    assert states(delivery.direct([part("shop", [settings("a"), settings("b")])])) == {"shop": State.READY}
    assert delivery.applied().count("ConfigMap/b") == 2


def test_what_fails_to_the_end_is_an_error() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name == "settings":
            raise RefusedError("failed calling webhook", where="ConfigMap/shop/settings", status=500)

    delivery = Delivery(FakeCluster(on_change=becomes_ready, before=refuse))
    results = delivery.direct([SHOP], timeout=20)
    assert results["shop"].message == "ConfigMap/shop/settings: failed calling webhook"
    assert delivery.clock.now >= 20


def test_own_fields_and_certificates_of_controllers_are_not_a_conflict() -> None:
    webhook = {"name": "a.example.com", "clientConfig": {"caBundle": "YQ==", "url": "https://a"}}
    hook = body("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "hook", webhooks=[webhook])
    delivery = Delivery()
    error = RefusedError(
        "conflict",
        status=409,
        reason="Conflict",
        causes=(
            RefusalCause(
                reason="FieldManagerConflict",
                message='conflict with "cainjector" using v1',
                field='.webhooks[name="a.example.com"].clientConfig.caBundle',
            ),
        ),
    )

    def once(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name == "hook" and delivery.applied().count(
            "ValidatingWebhookConfiguration/hook"
        ) < 2:  # fmt: skip
            raise error

    delivery.cluster.before = once
    assert states(delivery.direct([part("hooks", [hook])])) == {"hooks": State.READY}


def test_an_invalid_object_is_an_error_at_once() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.verb == "apply" and request.target.name in ("settings", "more"):
            cause = RefusalCause(reason="FieldValueRequired", message="Required value", field="spec.x")
            raise RefusedError("is invalid", where=str(request.target), status=422, reason="Invalid", causes=(cause,))

    delivery = Delivery(FakeCluster(on_change=becomes_ready, before=refuse))
    results = delivery.direct([part("shop", [settings(), settings("more")])])
    assert len(results["shop"].errors) == 2
    assert delivery.clock.now == 0


def test_without_waiting_nothing_is_watched() -> None:
    delivery = Delivery(FakeCluster())
    assert states(delivery.direct([SHOP], waits=False)) == {"shop": State.APPLIED}


def test_a_record_that_cannot_be_kept_costs_the_next_deployment_only() -> None:
    def refuse(request: FakeRequest) -> None:
        if request.verb == "patch" and request.target.name == "applied-demo":
            raise RefusedError("Too long: may not be more than 1048576 bytes", status=422, reason="Invalid")

    delivery = Delivery(FakeCluster(on_change=becomes_ready, before=refuse))
    result = delivery.direct([SHOP])["shop"]
    assert (result.state, result.message) == (
        State.READY,
        "what was applied could not be kept: Too long: may not be more than 1048576 bytes",
    )
    assert delivery.direct([SHOP])["shop"].state is State.READY
    assert "Deployment/web" in delivery.applied()
