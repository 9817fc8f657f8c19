"""Whether a stack fits on the nodes of a cluster, beside what runs there: proofs are errors, what may still change is not."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fake_cluster import FakeCluster, hiding
from tests.gitops.conftest import body, part
from tests.stages.deliver.preflight.situations import (
    EXISTING,
    FLUX,
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
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stack.model import GitOps
from cluster_forge.stages.deliver.preflight import node_fit
from cluster_forge.stages.deliver.preflight.problem import Problem

ERROR, WARNING = Severity.ERROR, Severity.WARNING
GPU = "example.com/gpu"


def asks(cpu: str, memory: str = "1Gi", **resources: str) -> dict[str, Any]:
    return pod_spec(resources={"requests": {"cpu": cpu, "memory": memory, **resources}})


def gpus(number: int) -> dict[str, Any]:
    return asks("1", **{GPU: str(number)})


def made_by(pod: dict[str, Any], kind: str, name: str, **labels: str) -> dict[str, Any]:
    """A Pod with its controller."""
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": True}
    metadata = {**pod["metadata"], "ownerReferences": [owner], "labels": {**pod["metadata"]["labels"], **labels}}
    return {**pod, "metadata": metadata}


def with_gpus(name: str, number: int) -> dict[str, Any]:
    made = node(name)
    made["status"]["allocatable"][GPU] = str(number)
    return made


def labeled(made: dict[str, Any], **labels: str) -> dict[str, Any]:
    return {**made, "metadata": {**made["metadata"], "labels": labels}}


def not_ready(made: dict[str, Any]) -> dict[str, Any]:
    return {**made, "status": {**made["status"], "conditions": [{"type": "Ready", "status": "False"}]}}


def crd(name: str, kind: str) -> dict[str, Any]:
    plural, _, group = name.partition(".")
    versions = [{"name": "v1", "served": True, "storage": True}]
    names = {"kind": kind, "plural": plural}
    spec = {"group": group, "names": names, "scope": "Namespaced", "versions": versions}
    return body("apiextensions.k8s.io/v1", "CustomResourceDefinition", name, spec=spec)


def of(*there: dict[str, Any], stack: list[dict[str, Any]]) -> list[Problem]:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), *there)
    return found(node_fit, cluster, planned(*stack))


def severities(problems: list[Problem]) -> list[Severity]:
    return [problem.severity for problem in problems]


def web(spec: dict[str, Any], replicas: int = 1) -> dict[str, Any]:
    return workload("Deployment", "web", spec, replicas=replicas)


# Beside what runs


def test_a_stack_fits_beside_what_runs() -> None:
    assert of(node("a"), node("b"), running("other", asks("3"), "a"), stack=[web(asks("1"), 4)]) == []


def test_what_is_missing_is_named_with_the_workloads_and_the_nodes() -> None:
    (problem,) = of(node("a"), node("b"), running("other", asks("3"), "a"), stack=[web(asks("2"), 3)])
    assert problem.message == (
        "the Pods of Deployment.apps/shop/web request 6 cores of CPU, and the 2 nodes that may run them have 5 left beside "
        "DaemonSets and the Pods of others; missing: 1 core of CPU"
    )
    assert (problem.severity, problem.option) == (ERROR, "--allow does-not-fit")


def test_sums_that_fit_are_not_enough() -> None:
    there = [node("a"), node("b"), running("one", asks("2500m"), "a"), running("two", asks("2500m"), "b")]
    (problem,) = of(*there, stack=[web(asks("2"))])
    assert (problem.where, problem.severity) == ("Deployment.apps/shop/web", ERROR)
    assert problem.message == "no node takes its Pod: 2 nodes have too little CPU left (2 requested, at most 1.5 free)"


def test_a_daemon_set_runs_on_each_node() -> None:
    there = [node("a"), node("b"), running("one", asks("3"), "a"), running("two", asks("3"), "b")]
    (problem,) = of(*there, stack=[workload("DaemonSet", "log", asks("1500m"))])
    assert (problem.where, problem.severity) == ("DaemonSet.apps/shop/log", ERROR)
    assert "2 nodes of 2 that it runs on cannot hold all their DaemonSets" in problem.message


def test_the_pods_that_a_node_takes_are_counted() -> None:
    full = node("a")
    full["status"]["allocatable"]["pods"] = "2"
    (problem,) = of(full, running("one", asks("1m"), "a"), stack=[web(asks("1m"), 2)])
    assert "are 2, and the node that may run them can take 1" in problem.message
    assert problem.message.endswith("missing: room for 1 Pod")


def test_a_port_that_others_have_on_every_node_is_missing() -> None:
    taken = pod_spec(ports=[{"containerPort": 80, "hostPort": 80}])
    there = [node("a"), node("b"), running("one", taken, "a"), running("two", taken, "b")]
    (problem,) = of(*there, stack=[web(taken)])
    assert problem.message == "no node takes its Pod: 2 nodes have its host port taken"
    assert of(*there[:-1], stack=[web(taken)]) == []


def test_pods_of_others_keep_pods_of_the_stack_away() -> None:
    term = {
        "labelSelector": {"matchLabels": {"app": "web"}},
        "namespaces": ["shop"],
        "topologyKey": "kubernetes.io/hostname",
    }
    shy = pod_spec(affinity={})
    shy["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    (problem,) = of(node("a"), running("shy", shy, "a"), stack=[web(asks("1"))])
    assert (problem.severity, "anti-affinity keeps apart" in problem.message) == (WARNING, True)
    assert of(node("a"), node("b"), running("shy", shy, "a"), stack=[web(asks("1"))]) == []


def test_overhead_and_priority_come_from_classes_of_the_cluster() -> None:
    runtime = body("node.k8s.io/v1", "RuntimeClass", "vm", handler="vm", overhead={"podFixed": {"cpu": "2"}})
    (problem,) = of(node("a"), runtime, stack=[web({**asks("3"), "runtimeClassName": "vm"})])
    assert "5 requested, at most 4 free" in problem.message


@pytest.mark.parametrize("gitops", [EXISTING, FLUX], ids=["Argo CD", "Flux"])
def test_what_an_engine_applies_must_fit_too(gitops: GitOps) -> None:
    cluster = FakeCluster()
    cluster.put(namespace("shop"), node("a"))
    large = web(asks("5"))
    of_engine = situation(cluster, planned(large, gitops=gitops), [part("shop", [large])])
    assert [problem.severity for problem in node_fit.problems(of_engine)] == [ERROR]


# Whose Pods do not count


def test_pods_that_the_stack_would_adopt_do_not_count_twice() -> None:
    assert of(node("a"), running("web-1", asks("3"), "a", "shop", app="web"), stack=[web(asks("3"))]) == []


def test_many_pods_are_compared_with_few_of_many_selectors() -> None:
    """Those that share a label with all workloads are known by the one that they do not share."""
    labels = [{"part-of": "shop", "app": f"web-{number}"} for number in range(300)]
    specs = [{"selector": {"matchLabels": one}, "template": {"spec": asks("1m")}} for one in labels]
    stack = [
        body("apps/v1", "Deployment", one["app"], "shop", spec=spec) for one, spec in zip(labels, specs, strict=True)
    ]
    around = situation(FakeCluster(), planned(*stack))
    assert {len(found) for found in around._selectors.values()} == {1}
    cluster = FakeCluster()
    own = [running(f"x-{one['app']}", asks("1m"), "a", "shop", **one) for one in labels]
    others = [running("other", asks("1m"), "a", "shop", **{"part-of": "shop", "app": "other"})]
    elsewhere = [running("elsewhere", asks("1m"), "a", "else", **labels[0])]
    cluster.put(namespace("shop"), namespace("else"), *own, *others, *elsewhere)
    assert {pod.name for pod in situation(cluster, planned(*stack)).pods} == {"other", "elsewhere"}


@pytest.mark.parametrize(
    ("kind", "name", "is_own"),
    [("ReplicaSet", "web-5d9", True), ("ReplicaSet", "other-5d9", False), ("ReplicaSet", "web-777", False)],
)
def test_pods_of_the_stack_are_known_by_their_controller(kind: str, name: str, *, is_own: bool) -> None:
    pod = made_by(running("x", asks("3"), "a", "shop", app="web"), kind, name, **{"pod-template-hash": "5d9"})
    assert bool(of(node("a"), pod, stack=[web(asks("3"))])) is not is_own


def test_a_daemon_set_that_runs_already_does_not_count_twice() -> None:
    pod = made_by(running("log-x", asks("3"), "a", "shop"), "DaemonSet", "log")
    assert of(node("a"), pod, stack=[workload("DaemonSet", "log", asks("3"))]) == []


def test_pods_that_end_by_themselves_leave_their_room() -> None:
    pod = running("other", {**asks("3"), "restartPolicy": "Never"}, "a")
    assert of(node("a"), pod, stack=[web(asks("3"))]) == []


def test_pods_that_are_being_deleted_leave_their_room() -> None:
    cluster = FakeCluster()
    pod = running("other", asks("3"), "a")
    pod["metadata"]["finalizers"] = ["example.com/x"]
    cluster.put(namespace("shop"), node("a"), pod)
    assert severities(found(node_fit, cluster, planned(web(asks("3"))))) == [ERROR]
    cluster.delete(ObjectId.of(pod))
    assert found(node_fit, cluster, planned(web(asks("3")))) == []


def test_pods_of_a_custom_resource_that_is_there_do_not_count_twice() -> None:
    database = body(
        "example.com/v1", "Database", "db", "shop", spec={"replicas": 1, "resources": {"requests": {"cpu": "3"}}}
    )
    kinds = crd("databases.example.com", "Database")
    pod = made_by(running("db-0", asks("3"), "a", "shop"), "StatefulSet", "db")
    assert severities(of(node("a"), pod, kinds, stack=[kinds, database])) == [ERROR]
    assert of(node("a"), pod, kinds, database, stack=[kinds, database]) == []


def test_room_of_pods_with_a_lower_priority_proves_nothing() -> None:
    lower = running("batch", {**asks("3"), "priority": -10}, "a")
    (problem,) = of(node("a"), lower, stack=[web(asks("3"))])
    assert problem.severity is WARNING
    equal = running("batch", {**asks("3"), "priority": 0}, "a")
    assert severities(of(node("a"), equal, stack=[web(asks("3"))])) == [ERROR]


def test_a_critical_daemon_set_does_not_make_everything_else_possible() -> None:
    critical = workload("DaemonSet", "log", {**asks("1"), "priorityClassName": "system-node-critical"})
    problems = of(node("a"), running("other", asks("3"), "a"), stack=[critical, web(asks("2"))])
    assert [(problem.where, problem.severity) for problem in problems] == [("Deployment.apps/shop/web", ERROR)]


# Nodes that take no Pods


@pytest.mark.parametrize(
    ("closed", "reason"),
    [
        ({"unschedulable": True}, "node.kubernetes.io/unschedulable:NoSchedule"),
        ({"taints": [{"key": "gpu", "effect": "NoSchedule"}]}, "gpu:NoSchedule"),
    ],
)
def test_nodes_that_take_no_pods_do_not_count(closed: dict[str, Any], reason: str) -> None:
    (problem,) = of(node("a", **closed), stack=[web(asks("1")), workload("StatefulSet", "db", asks("1"))])
    assert problem.message == (
        f"no node takes its Pod: 1 node has the taint `{reason}`, which it does not tolerate "
        "(also: StatefulSet.apps/shop/db)"
    )
    assert (problem.where, problem.severity) == ("Deployment.apps/shop/web", ERROR)


def test_a_daemon_set_runs_on_a_cordoned_node() -> None:
    assert of(node("a", unschedulable=True), stack=[workload("DaemonSet", "log", asks("1"))]) == []


def test_nodes_that_are_not_ready_yet_prove_nothing() -> None:
    assert severities(of(not_ready(node("a")), stack=[web(asks("1"))])) == [WARNING]
    assert severities(of(not_ready(node("a")), stack=[web(asks("5"))])) == [ERROR]


def test_a_cluster_without_nodes_is_said_once() -> None:
    (problem,) = of(stack=[web(asks("1")), workload("StatefulSet", "db", asks("1"))])
    assert (problem.message, problem.severity) == ("the cluster has no node", ERROR)


# What the stack brings


def test_a_resource_that_no_node_lists_may_still_come() -> None:
    (problem,) = of(node("a"), stack=[web(gpus(1))])
    assert (problem.severity, GPU in problem.message) == (WARNING, True)


def test_what_may_still_come_is_said_beside_what_is_proven() -> None:
    problems = of(node("a"), stack=[web(gpus(1)), workload("StatefulSet", "db", asks("5"))])
    assert [(problem.where, problem.severity) for problem in problems] == [
        ("StatefulSet.apps/shop/db", ERROR),
        ("Deployment.apps/shop/web", WARNING),
    ]


def test_a_resource_that_is_short_is_an_error_unless_the_stack_brings_more() -> None:
    stack = [web(gpus(3))]
    assert severities(of(with_gpus("a", 2), stack=stack)) == [ERROR]
    plugin = workload(
        "DaemonSet",
        "plugin",
        {**asks("1"), "volumes": [{"name": "p", "hostPath": {"path": "/var/lib/kubelet/device-plugins/"}}]},
    )
    assert severities(of(with_gpus("a", 2), stack=[*stack, plugin])) == [WARNING]
    operator = crd("clusterpolicies.gpu.example.com", "ClusterPolicy")
    assert severities(of(with_gpus("a", 2), stack=[*stack, operator])) == [WARNING]


@pytest.mark.parametrize(
    ("resources", "verbs", "severity"),
    [(["nodes"], ["patch"], WARNING), (["nodes"], ["get"], ERROR), (["*"], ["*"], ERROR)],
)
def test_labels_are_open_where_a_program_of_the_stack_changes_nodes(
    resources: list[str], verbs: list[str], severity: Severity
) -> None:
    role = body(
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        "labeler",
        rules=[{"apiGroups": [""], "resources": resources, "verbs": verbs}],
    )
    picky = web({**asks("1"), "nodeSelector": {"example.com/fast": "true"}})
    (problem,) = of(node("a"), stack=[picky, role])
    assert (problem.severity, "example.com/fast" in problem.message) == (severity, True)
    large = web({**asks("5"), "nodeSelector": {"example.com/fast": "true"}})
    assert severities(of(node("a"), stack=[large, role])) == [ERROR]


def test_a_zone_that_no_node_is_in_cannot_come() -> None:
    role = body(
        "rbac.authorization.k8s.io/v1", "ClusterRole", "labeler", rules=[{"resources": ["nodes"], "verbs": ["patch"]}]
    )
    there = labeled(node("a"), **{"topology.kubernetes.io/zone": "east"})
    picky = web({**asks("1"), "nodeSelector": {"topology.kubernetes.io/zone": "west"}})
    assert severities(of(there, stack=[picky, role])) == [ERROR]


# What adds nodes


@pytest.mark.parametrize(
    ("there", "brought"),
    [
        ([crd("nodepools.karpenter.sh", "NodePool")], []),
        ([], [crd("nodepools.karpenter.sh", "NodePool")]),
        ([body("v1", "ConfigMap", "cluster-autoscaler-status", "kube-system")], []),
        (
            [running("ca", {"containers": [{"image": "registry.example.com/autoscaling/cluster-autoscaler:v1"}]}, "a")],
            [],
        ),
        (
            [],
            [
                workload(
                    "Deployment",
                    "ca",
                    {"containers": [{"name": "a", "image": "example.com/cluster-autoscaler@sha256:1"}]},
                )
            ],
        ),
    ],
    ids=["Karpenter there", "Karpenter brought", "its status", "running", "brought"],
)
def test_where_nodes_are_added_nothing_is_proven(there: list[dict[str, Any]], brought: list[dict[str, Any]]) -> None:
    (problem,) = of(node("a"), *there, stack=[web(asks("3"), 3), *brought])
    assert (problem.severity, "may add nodes" in problem.fix) == (WARNING, True)


# What the user may not see


def test_without_the_pods_a_proof_is_still_one() -> None:
    cluster = FakeCluster()
    cluster.put(node("a"))
    cluster.before = hiding("Pod")
    assert [(one.code, one.severity) for one in found(node_fit, cluster, planned(web(asks("1"))))] == [
        ("not-checked", WARNING)
    ]
    problems = found(node_fit, cluster, planned(web(asks("5"))))
    assert [problem.code for problem in problems] == ["not-checked", "does-not-fit"]
    assert "cannot see the Pods on the nodes: pods is forbidden" in problems[0].message
