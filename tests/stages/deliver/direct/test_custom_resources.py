"""Custom resources gate what needs their component, as far as somebody answers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster
from tests.fake_controllers import becomes_ready
from tests.gitops.conftest import part
from tests.stages.deliver.deliveries import WIDGET, WIDGETS, Delivery, deployment, identity, needing, settings, web

from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import Part
from cluster_forge.manifests.readiness_rule import ReadinessRule
from cluster_forge.stages.deliver.direct import delivery as direct
from cluster_forge.stages.deliver.options import DeployOptions
from cluster_forge.stages.deliver.results import ComponentResult, State

ONE = identity("Widget", "one", "shop", "example.com")
(VERSION,) = WIDGETS["spec"]["versions"]
KINDS: dict[str, Any] = {
    **WIDGETS,
    "spec": {**WIDGETS["spec"], "versions": [{**VERSION, "subresources": {"status": {}}}]},
}
OPERATOR = part("operator", [KINDS, web("operator", "shop")], wave=-50)
SHOP = needing(part("shop", [WIDGET]), "operator")
AFTER = needing(part("after", [settings()], wave=10), "shop")
RULE = ReadinessRule(
    group="example.com", kind="Widget", answered_by=("operator", "other"), field="state", ready=("ok",), failed=("bad",)
)


def answers(state: str, seconds: float = 0) -> Callable[[Delivery], None]:
    """The operator, which works at once, and writes a state after some time."""

    def work(made: Delivery) -> None:
        def on_change(cluster: FakeCluster, body: Body) -> None:
            becomes_ready(cluster, body)
            if body["kind"] == "Widget" and "status" not in body:
                cluster.set_status(ONE, {"state": "working"})
                made.clock.at(seconds, lambda: cluster.set_status(ONE, {"state": state}))

        made.cluster.on_change = on_change

    return work


def deploy(
    parts: list[Part], operator: Callable[[Delivery], None], timeout: float
) -> tuple[Delivery, dict[str, ComponentResult]]:
    made = Delivery()
    operator(made)
    tools = replace(made.tools, rules=lambda: {("example.com", "Widget"): RULE})
    results = direct.deliver(deployment(parts), tools, DeployOptions(timeout=timeout))
    return made, {result.name: result for result in results}


def silent(_made: Delivery) -> None:
    """No controller answers."""


def test_what_needs_a_component_waits_until_its_custom_resources_are_ready() -> None:
    times: list[float] = []

    def operator(made: Delivery) -> None:
        answers("ok", seconds=45)(made)
        works = made.cluster.on_change

        def on_change(cluster: FakeCluster, body: Body) -> None:
            works(cluster, body)
            times.extend([made.clock.now] if body["kind"] == "ConfigMap" else [])

        made.cluster.on_change = on_change

    _, results = deploy([OPERATOR, SHOP, AFTER], operator, timeout=100)
    assert {result.state for result in results.values()} == {State.READY}
    assert times[0] >= 45


def test_one_that_fails_stops_what_needs_it() -> None:
    _, results = deploy([OPERATOR, SHOP, AFTER], answers("bad"), timeout=100)
    assert (results["shop"].state, results["after"].state) == (State.FAILED, State.BLOCKED)
    assert results["shop"].message == "Widget.example.com/shop/one: has failed: state is bad"


def test_one_without_an_answer_stops_nothing_and_says_who_should() -> None:
    made, results = deploy([OPERATOR, SHOP, AFTER], silent, timeout=60)
    assert results["after"].state is State.READY
    assert results["shop"].state is State.FAILED
    assert "is not ready after 60 s: no controller has answered it yet (operator should)" in results["shop"].message
    assert made.clock.now <= 30 + 60 + 5


def test_one_whose_controller_is_not_in_the_stack_is_a_remark() -> None:
    widgets = part("widgets", [KINDS], wave=-50)
    made, results = deploy([widgets, needing(part("shop", [WIDGET]), "widgets"), AFTER], silent, timeout=600)
    assert {result.state for result in results.values()} == {State.READY}
    assert results["shop"].message.endswith("no controller has answered it (it would be operator or other)")
    assert made.clock.now <= 35


def test_what_a_later_component_answers_does_not_block_that_one() -> None:
    widgets = part("widgets", [KINDS], wave=-50)
    shop = needing(part("shop", [WIDGET]), "widgets")
    later = needing(part("operator", [web("operator", "shop")], wave=10), "shop")
    _, results = deploy([widgets, shop, later], answers("ok", seconds=5), timeout=60)
    assert {result.state for result in results.values()} == {State.READY}


@pytest.mark.parametrize("waits", [True, False])
def test_without_waiting_nothing_is_waited_for(*, waits: bool) -> None:
    made = Delivery()
    tools = replace(made.tools, rules=lambda: {("example.com", "Widget"): RULE})
    direct.deliver(deployment([OPERATOR, SHOP, AFTER]), tools, DeployOptions(timeout=40, waits=waits))
    assert (made.clock.now >= 30) is waits
