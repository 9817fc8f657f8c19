"""A component with webhooks is ready once the API server can call them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, hiding
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import body, part
from tests.stages.deliver.deliveries import Delivery, identity, needing, settings, web

from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.deliver.results import State

GROUP = "admissionregistration.k8s.io"
HOOKS = identity("MutatingWebhookConfiguration", "policy", "", GROUP)
SERVICE = body("v1", "Service", "policy", "shop", spec={"selector": {"app": "policy"}, "ports": [{"port": 443}]})


def configuration(service: str = "policy", **client: str) -> dict[str, Any]:
    called = {"service": {"namespace": "shop", "name": service, "path": "/"}, **client}
    hook = {"name": "policy.example.com", "clientConfig": called, "sideEffects": "None", "failurePolicy": "Ignore"}
    return body(f"{GROUP}/v1", HOOKS.kind, HOOKS.name, webhooks=[hook])


def endpoints(*conditions: dict[str, bool]) -> dict[str, Any]:
    slice_ = body("discovery.k8s.io/v1", "EndpointSlice", "policy-x1", "shop", addressType="IPv4")
    slice_["metadata"]["labels"] = {"kubernetes.io/service-name": "policy"}
    return {**slice_, "endpoints": [{"addresses": ["10.0.0.1"], "conditions": entry} for entry in conditions]}


def policy(**client: str) -> Any:
    return part("policy", [web("policy", "shop"), SERVICE, configuration(**client)])


AFTER = needing(part("after", [settings()], wave=10), "policy")


def test_what_comes_next_waits_for_certificate_and_endpoint() -> None:
    made = Delivery()
    times: list[float] = []

    def on_change(cluster: FakeCluster, changed: Body) -> None:
        becomes_ready(cluster, changed)
        times.extend([made.clock.now] if changed["kind"] == "ConfigMap" else [])

    made.cluster.on_change = on_change
    trusted = configuration(caBundle="LS0t")
    made.clock.at(10, lambda: made.cluster.put(trusted))
    made.clock.at(15, lambda: made.cluster.put(endpoints({"ready": False})))
    made.clock.at(25, lambda: made.cluster.put(endpoints({"ready": False}, {})))
    results = made.direct([policy(), AFTER], timeout=100)
    assert {result.state for result in results.values()} == {State.READY}
    assert 25 <= times[0] < 35
    waits = [event[3] for event in made.reporter.events if event[0] == "waits" and event[2] == "policy"]
    assert "MutatingWebhookConfiguration/policy: Service shop/policy has no ready endpoint" in waits


@pytest.mark.parametrize(
    ("client", "lack"),
    [({}, "webhook policy.example.com has no caBundle yet"), ({"caBundle": "x"}, "Service shop/policy has no ready")],
)
def test_one_that_cannot_be_called_is_named_in_time(client: dict[str, str], lack: str) -> None:
    results = Delivery().direct([policy(**client), AFTER], timeout=20)
    assert (results["policy"].state, results["after"].state) == (State.FAILED, State.BLOCKED)
    assert f"{HOOKS}: cannot be called after 20 s: {lack}" in results["policy"].message


def test_a_service_of_another_component_is_left_to_that_one() -> None:
    results = Delivery().direct([part("policy", [configuration(service="elsewhere")]), AFTER], timeout=20)
    assert {result.state for result in results.values()} == {State.READY}


def test_who_may_not_see_endpoints_does_not_wait_for_them() -> None:
    made = Delivery()
    made.cluster.before = hiding("EndpointSlice")
    results = made.direct([policy(caBundle="LS0t"), AFTER], timeout=20)
    assert {result.state for result in results.values()} == {State.READY}
