"""What admission would refuse of the Pods that workloads make, on a cluster with classes, quotas and limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tests.fake_cluster import FakeCluster
from tests.gitops.conftest import body
from tests.stages.deliver.preflight.situations import (
    found,
    namespace,
    node,
    planned,
    pod_spec,
    running,
    situation,
    workload,
)

from cluster_forge.manifests.finding import Severity
from cluster_forge.stages.deliver.preflight import pod_admission
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.running_pods import RunningPod


def of(*there: dict[str, Any], stack: list[dict[str, Any]]) -> list[Problem]:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), *there)
    return found(pod_admission, cluster, planned(*stack))


def web(resources: dict[str, Any], replicas: int = 1, **more: Any) -> dict[str, Any]:
    return workload("Deployment", "web", {**pod_spec(resources=resources), **more}, replicas=replicas)


def quota(hard: dict[str, str], where: str = "shop", **spec: Any) -> dict[str, Any]:
    return body("v1", "ResourceQuota", "team", where, spec={"hard": hard, **spec})


def limits(**container: Any) -> dict[str, Any]:
    return body("v1", "LimitRange", "team", "shop", spec={"limits": [{"type": "Container", **container}]})


ASKS = {"requests": {"cpu": "1", "memory": "1Gi"}}


@pytest.mark.parametrize(
    ("member", "kind", "group", "severity"),
    [
        ("priorityClassName", "PriorityClass", "scheduling.k8s.io", Severity.ERROR),
        ("runtimeClassName", "RuntimeClass", "node.k8s.io", Severity.WARNING),
    ],
)
def test_a_class_must_be_in_the_cluster_or_in_the_stack(member: str, kind: str, group: str, severity: Severity) -> None:
    made = body(f"{group}/v1", kind, "fast", value=1, handler="fast")
    needing = workload("Deployment", "web", {**pod_spec(), member: "fast"})
    (problem,) = of(stack=[needing])
    assert (problem.severity, problem.where) == (severity, "Deployment.apps/shop/web")
    assert f"`{member}: fast`, and neither the stack nor the cluster has this {kind}" in problem.message
    assert of(made, stack=[needing]) == []
    assert of(stack=[needing, made]) == []


def test_every_cluster_has_the_classes_of_the_system() -> None:
    assert of(stack=[web({}, priorityClassName="system-node-critical")]) == []


def test_a_quota_counts_the_stack_beside_others() -> None:
    there = [quota({"requests.cpu": "3"}), node("a"), running("other", pod_spec(resources=ASKS), "a", "shop")]
    assert of(*there, stack=[web(ASKS, 2)]) == []
    (problem,) = of(*there, stack=[web(ASKS, 3)])
    assert (problem.where, problem.severity) == ("ResourceQuota/shop/team", Severity.ERROR)
    assert problem.message == (
        "the Pods of the stack ask for 3 of requests.cpu, others of the namespace for 1, and the quota allows 3"
    )


@pytest.mark.parametrize(("there", "ours", "is_refused"), [("1", "2", False), ("2", "1", True)])
def test_the_quota_that_the_stack_brings_counts(there: str, ours: str, *, is_refused: bool) -> None:
    problems = of(quota({"pods": there}), stack=[quota({"pods": ours}), web(ASKS, 2)])
    assert bool(problems) is is_refused


@pytest.mark.parametrize("member", ["max", "min", "default"])
def test_a_limit_range_of_the_stack_fills_in_what_the_api_server_will(member: str) -> None:
    """An API server takes a lacking default from the largest amount, and a lacking request from either or the least one."""
    brought = [quota({"requests.cpu": "9"}), limits(**{member: {"cpu": "1"}})]
    assert of(stack=[*brought, web({})]) == []


def test_pods_of_the_stack_do_not_count_twice_against_a_quota() -> None:
    own = running("web-1", pod_spec(resources=ASKS), "a", "shop", app="web")
    assert of(quota({"cpu": "1", "pods": "1"}), node("a"), own, stack=[web(ASKS)]) == []


class Counted:
    """Pods, and how often they are gone through."""

    def __init__(self, pods: Sequence[RunningPod]) -> None:
        self.pods, self.rounds = pods, 0

    def __iter__(self) -> Iterator[RunningPod]:
        self.rounds += 1
        return iter(self.pods)


def test_the_pods_of_a_cluster_are_gone_through_once_for_all_quotas() -> None:
    cluster, spaces = FakeCluster(), ("one", "three", "two")
    pods = [running(name, pod_spec(resources=ASKS), "a", name) for name in spaces]
    cluster.put(node("a"), *map(namespace, spaces), *(quota({"pods": "1"}, name) for name in spaces), *pods)
    stack = [{**web(ASKS), "metadata": {"name": "web", "namespace": name}} for name in spaces]
    seen = situation(cluster, planned(*stack))
    seen.__dict__["pods"] = counted = Counted(seen.pods)
    assert [one.where for one in pod_admission.problems(seen)] == [f"ResourceQuota/{name}/team" for name in spaces]
    assert counted.rounds == 1


@pytest.mark.parametrize(
    "there", [quota({"pods": "0"}, "other"), quota({"pods": "0"}, scopes=["BestEffort"])], ids=["other", "scoped"]
)
def test_quotas_that_may_not_count_pods_of_the_stack_are_left_alone(there: dict[str, Any]) -> None:
    assert of(there, stack=[web(ASKS)]) == []


@pytest.mark.parametrize(
    ("hard", "resources", "message"),
    [
        ({"requests.cpu": "9"}, {}, "requests no cpu"),
        ({"cpu": "9"}, {"requests": {"memory": "1Gi"}}, "requests no cpu"),
        ({"limits.memory": "9Gi"}, ASKS, "has no limit of memory"),
        ({"requests.cpu": "9"}, {"limits": {"cpu": "1"}}, ""),
        ({"pods": "9"}, {}, ""),
    ],
)
def test_a_quota_asks_for_requests_and_limits(hard: dict[str, str], resources: dict[str, Any], message: str) -> None:
    problems = of(quota(hard), stack=[web(resources)])
    assert len(problems) == bool(message)
    assert all(message in problem.message for problem in problems)


def test_a_limit_range_fills_in_what_a_quota_asks_for() -> None:
    there = [
        quota({"requests.cpu": "9", "limits.cpu": "9"}),
        limits(default={"cpu": "1"}, defaultRequest={"cpu": "500m"}),
    ]
    assert of(*there, stack=[web({})]) == []


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"max": {"memory": "512Mi"}}, "may have 512Mi of memory at most"),
        ({"min": {"cpu": "2"}}, "must request at least 2 of cpu"),
        ({"max": {"memory": "1Gi"}, "min": {"cpu": "1"}}, ""),
    ],
)
def test_a_limit_range_has_a_largest_and_a_least(limit: dict[str, Any], message: str) -> None:
    problems = of(limits(**limit), stack=[web(ASKS)])
    assert len(problems) == bool(message)
    assert all(message in problem.message for problem in problems)
