"""What a search may do is counted: many Pods of every shape stay within it, and what is not decided is said."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from tests.checks.fit_stacks import ZONE, apart, checked, container, nodes, pod, spread, workload

from cluster_forge.checks.fit import does_not_fit
from cluster_forge.checks.fit import placement as placing
from cluster_forge.checks.fit.board import Board
from cluster_forge.checks.fit.budget import Budget
from cluster_forge.checks.fit.search import Verdict, search
from cluster_forge.checks.fit.stack_fit import StackFit
from cluster_forge.manifests.manifest import Manifest

pytestmark = pytest.mark.unmeasured
NODES, WORKLOADS, REPLICAS = 200, 400, 25
TIGHT = 0.0005


def constraints(shape: str, name: str) -> dict[str, Any]:
    affinity = {"affinity": apart(name)} if "apart" in shape else {}
    keys = {"zones": ZONE, "nodes": "kubernetes.io/hostname"}
    spreads = [one for word, key in keys.items() if word in shape for one in spread(name, key)]
    return {**affinity, **({"topologySpreadConstraints": spreads} if spreads else {})}


def workloads(shape: str) -> list[Manifest]:
    chance = Random(7)
    return [
        workload(
            f"w{number}",
            REPLICAS,
            pod(container(f"{chance.randint(50, 900)}m"), **constraints(shape, f"w{number}")),
        )
        for number in range(WORKLOADS)
    ]


def fit_of(manifests: list[Manifest], share: float) -> StackFit:
    """On four zones of nodes with so much more CPU than is requested."""
    total = sum(
        REPLICAS
        * int(one.body["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"].removesuffix("m"))
        for one in manifests
    )
    cpu = f"{total * (1 + share) / NODES:.0f}m"
    zones = [nodes(NODES // 4, cpu=cpu, memory="512Gi", labels={ZONE: zone}) for zone in "abcd"]
    return StackFit.of(checked(zones, *manifests))


@pytest.mark.parametrize("shape", ["plain", "apart", "zones", "nodes", "apart zones", "apart zones nodes"])
def test_the_steps_of_a_placement_grow_with_the_pods(shape: str) -> None:
    fit = fit_of(workloads(shape), 0.1)
    compiler = fit.result.placement.board.compiler
    budget = Budget(1 << 40)

    placing.place(placing.items_of(fit.lasting, compiler), Board(compiler), placing.scheduled(), budget=budget)

    assert fit.result.verdict is Verdict.FITS
    assert (1 << 40) - budget.left < 3 * WORKLOADS * REPLICAS


def test_what_is_too_large_for_all_nodes_is_looked_for_once() -> None:
    large = [workload(f"w{number}", 2, pod(container(f"{5000 + number}m"))) for number in range(WORKLOADS)]
    fit = StackFit.of(checked([nodes(NODES, cpu="4")], *large))
    compiler = fit.result.placement.board.compiler
    budget = Budget(1 << 40)

    placed = placing.place(placing.items_of(fit.lasting, compiler), Board(compiler), placing.scheduled(), budget=budget)

    assert placed.lacking == 2 * WORKLOADS
    assert (1 << 40) - budget.left == NODES


@pytest.mark.parametrize("shape", ["plain", "apart zones"])
def test_a_search_ends_at_its_limit_and_says_so(shape: str) -> None:
    fit = fit_of(workloads(shape), TIGHT)
    budget = Budget(5_000)
    result = search(fit.groups, fit.lasting, budget=budget)

    assert result.verdict is Verdict.NOT_PLACED
    assert result.is_cut
    assert budget.left > -10 * NODES
    again = search(fit.groups, fit.lasting, budget=Budget(5_000))
    assert again.placement.missing == result.placement.missing


def test_what_is_not_decided_is_a_warning_with_its_reason() -> None:
    large = [workload(f"w{number}", REPLICAS, pod(container(f"{2000 + number}m"))) for number in range(WORKLOADS)]
    on = nodes(NODES, cpu="110400m", memory="512Gi")
    findings = list(does_not_fit.findings(checked([on], *large)))

    assert [finding.severity for finding in findings] == ["warning"]
    assert "not decided: the search has a limit" in findings[0].message


def test_the_least_number_is_one_that_does() -> None:
    fit = fit_of(workloads("plain"), -0.3)

    assert fit.result.verdict is Verdict.DOES_NOT_FIT
    assert fit.least[0] is not None
    assert NODES // 4 < fit.least[0] < NODES
