"""Placements obey the rules of the scheduler, as a second reading of these rules says; proofs hold on what is placed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.fit_stacks import checked
from tests.checks.generated_stacks import TOLERATION, GeneratedStack, generated

from cluster_forge.checks.fit import placement as placing
from cluster_forge.checks.fit.board import Board
from cluster_forge.checks.fit.budget import Budget
from cluster_forge.checks.fit.search import Verdict, is_placed, search
from cluster_forge.checks.fit.stack_fit import StackFit
from cluster_forge.foundation import quantity
from cluster_forge.stack.model import Node

STEPS = 20_000
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def fit_of(stack: GeneratedStack) -> StackFit:
    return StackFit.of(checked(stack.nodes, *stack.manifests))


def problems(stack: GeneratedStack, fit: StackFit) -> list[str]:
    """What is wrong with the placement, from the manifests alone."""
    nodes = [node for node in stack.nodes for _ in range(node.count)]
    placement = fit.result.placement
    wrong: list[str] = []
    requested: defaultdict[int, Counter[str]] = defaultdict(Counter)
    ports: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for item in placement.items:
        body = item.demand.manifest.body
        name, spec = body["metadata"]["name"], body["spec"]["template"]["spec"]
        on = placement.on[item.number]
        for number in on:
            wrong += _about_node(name, spec, nodes[number])
            requested[number].update(_requests(spec))
            ports[number].update(port["hostPort"] for one in spec["containers"] for port in one.get("ports", ()))
        wrong += _about_pods(name, spec, [(number, nodes[number]) for number in on], nodes)
        if body["kind"] != "DaemonSet" and not placement.missing.get(item.number):
            assert len(on) == body["spec"]["replicas"]
    for number, node in enumerate(nodes):
        have: dict[str, Any] = {
            "cpu": quantity.parse(node.cpu) * 1000,
            "memory": quantity.parse(node.memory),
            "pods": node.pods,
        }
        wrong += [f"{name} of node {number}" for name, most in have.items() if requested[number][name] > most]
        wrong += [f"port {port} of node {number}" for port, times in ports[number].items() if times > 1]
    return wrong


def _about_node(name: str, spec: Mapping[str, Any], node: Node) -> list[str]:
    wrong = []
    if (
        node.taints
        and TOLERATION not in spec.get("tolerations", ())
        and {"operator": "Exists"} not in spec.get("tolerations", ())
    ):
        wrong.append(f"{name} does not tolerate {node.taints}")
    if not spec.get("nodeSelector", {}).items() <= node.labels.items():
        wrong.append(f"{name} is not for {node.labels}")
    return wrong


def _about_pods(name: str, spec: Mapping[str, Any], on: list[tuple[int, Node]], nodes: list[Node]) -> list[str]:
    wrong = []
    affinity = spec.get("affinity", {})
    if REQUIRED in affinity.get("podAntiAffinity", {}) and len({number for number, _ in on}) < len(on):
        wrong.append(f"two Pods of {name} share a node")
    if (
        REQUIRED in affinity.get("podAffinity", {})
        and len({node.labels["topology.kubernetes.io/zone"] for _, node in on}) > 1
    ):
        wrong.append(f"Pods of {name} are in several zones")
    for constraint in spec.get("topologySpreadConstraints", ()):
        key = constraint["topologyKey"]
        domains = [str(number) if "hostname" in key else node.labels[key] for number, node in enumerate(nodes)]
        counts = Counter(domains[number] for number, _ in on)
        if (
            max(counts.values(), default=0) - min((counts[domain] for domain in domains), default=0)
            > constraint["maxSkew"]
        ):
            wrong.append(f"Pods of {name} are not spread")
    return wrong


def _requests(spec: Mapping[str, Any]) -> Counter[str]:
    """As the Kubernetes documentation on sidecar containers has it: max of what runs and of each start."""
    running: Counter[str] = Counter(pods=1)
    for one in spec["containers"]:
        running.update(_container(one))
    sidecars: Counter[str] = Counter()
    highest: Counter[str] = Counter()
    for one in spec.get("initContainers", ()):
        if one.get("restartPolicy") == "Always":
            sidecars.update(_container(one))
            highest |= sidecars
        else:
            highest |= sidecars + _container(one)
    return (running + sidecars) | highest


def _container(one: Mapping[str, Any]) -> Counter[str]:
    resources = one["resources"]
    given_ = resources.get("requests") or resources["limits"]
    factor = {"cpu": 1000, "memory": 1}
    return Counter({name: int(quantity.parse(given_[name]) * factor[name]) for name in factor})


@pytest.mark.parametrize("number", range(60))
def test_a_placement_obeys_the_rules(number: int) -> None:
    stack = generated(number)
    fit = fit_of(stack)

    assert problems(stack, fit) == []
    assert fit.result.is_placed is not bool(fit.result.placement.missing)


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=1000, max_value=1_000_000))
def test_other_placements_do_too(number: int) -> None:
    test_a_placement_obeys_the_rules(number)


@pytest.mark.parametrize("number", range(30))
def test_a_proof_holds_in_every_way_of_placing(number: int) -> None:
    """What is proven not to fit is placed by no order."""
    fit = fit_of(generated(number))
    if fit.result.verdict is not Verdict.DOES_NOT_FIT:
        return
    items, board = fit.result.placement.items, fit.result.placement.board
    for way in placing.packed(board):
        assert not placing.place(items, Board(board.compiler), way).is_complete


@pytest.mark.parametrize("share", [1, 2, 4])
@pytest.mark.parametrize("number", range(30))
def test_a_trial_that_ends_early_says_what_a_search_says(number: int, share: int) -> None:
    """Also where Pods wait for others, so that the first one without a node is not the end."""
    fit = fit_of(generated(number))
    groups = [replace(group, count=max(group.count // share, 1), names=()) for group in fit.groups]

    assert is_placed(groups, fit.lasting, Budget(STEPS)) is search(groups, fit.lasting, budget=Budget(STEPS)).is_placed


@pytest.mark.unmeasured
@pytest.mark.parametrize("number", range(12))
def test_the_least_number_of_nodes_is_enough_and_one_less_is_not(number: int) -> None:
    stack = generated(number)
    for group, least in enumerate(fit_of(stack).least):
        if least is None:
            continue
        counts = [(least, True), *([(least - 1, False)] if least > 1 else [])]
        for count, is_enough in counts:
            nodes = [replace(node, count=count) if one == group else node for one, node in enumerate(stack.nodes)]
            assert fit_of(GeneratedStack(nodes=nodes, manifests=stack.manifests)).result.is_placed is is_enough
