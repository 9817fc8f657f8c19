"""What fits is not reported, what does not is; each rule of the scheduler from both sides."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.fit_stacks import (
    HOSTNAME,
    REQUIRED,
    ZONE,
    apart,
    checked,
    container,
    manifest,
    near,
    nodes,
    pod,
    spread,
    workload,
)

from cluster_forge.checks.fit import does_not_fit
from cluster_forge.checks.fit.stack_fit import StackFit
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.model import Node, Size

Case = tuple[list[Node], list[Manifest]]

GPU_NODE = nodes(1, resources={"amd.com/gpu": 8})
TAINTED = nodes(2, taints=("dedicated=db:NoSchedule",))
TOLERATION = {"key": "dedicated", "operator": "Equal", "value": "db", "effect": "NoSchedule"}
ZONES = [nodes(1, labels={ZONE: zone}) for zone in "abc"]


def expressions(*entries: dict[str, Any]) -> dict[str, Any]:
    """A required node affinity."""
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": list(entries)}]}}}


def steady(case: Case) -> list[Finding]:
    """The findings, but for those about the loss of a node and about updates."""
    found = does_not_fit.findings(checked(case[0], *case[1]))
    return [one for one in found if "down there is no room" not in one.message and "rolling update" not in one.message]


FITTING: dict[str, Case] = {
    "exactly": ([nodes(2, cpu="2")], [workload("web", 4, pod())]),
    "init container not added": ([nodes(1, cpu="1")], [workload("web", 1, pod(initContainers=[container("1")]))]),
    "too large limit": ([nodes(1)], [workload("web", 1, pod({"name": "main", "resources": {"limits": {"cpu": "4"}}}))]),
    "no requests": ([nodes(1)], [workload("web", 100, pod({"name": "main", "image": "a:1"}))]),
    "gpu": ([GPU_NODE], [workload("web", 2, pod(container(gpu=4)))]),
    "tolerated": ([TAINTED], [workload("web", 2, pod(tolerations=[TOLERATION]))]),
    "all tolerated": ([TAINTED], [workload("web", 2, pod(tolerations=[{"operator": "Exists"}]))]),
    "soft taint": ([nodes(taints=("old:PreferNoSchedule",))], [workload("web", 2, pod())]),
    "selected": ([nodes(labels={"disk": "ssd"})], [workload("web", 2, pod(nodeSelector={"disk": "ssd"}))]),
    "operating system": ([nodes()], [workload("web", 2, pod(nodeSelector={"kubernetes.io/os": "linux"}))]),
    "architecture": ([nodes()], [workload("web", 2, pod(nodeSelector={"kubernetes.io/arch": "arm64"}))]),
    "greater": (
        [nodes(labels={"disks": "4"})],
        [workload("web", 1, pod(affinity=expressions({"key": "disks", "operator": "Gt", "values": ["3"]})))],
    ),
    "apart": ([nodes(3)], [workload("web", 3, pod(affinity=apart("web")))]),
    "near": ([nodes(3)], [workload("web", 2, pod()), workload("cache", 2, pod(affinity=near("web")))]),
    "near itself": ([nodes(3)], [workload("web", 3, pod(affinity=near("web")))]),
    "spread": ([nodes(3)], [workload("web", 5, pod(topologySpreadConstraints=spread("web")))]),
    "spread over zones": (ZONES, [workload("web", 6, pod(topologySpreadConstraints=spread("web", ZONE)))]),
    "soft spread": (
        [nodes(1)],
        [workload("web", 3, pod(topologySpreadConstraints=spread("web", ZONE, whenUnsatisfiable="ScheduleAnyway")))],
    ),
    "soft anti-affinity": (
        [nodes(1)],
        [
            workload(
                "web",
                3,
                pod(affinity={"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}}),
            )
        ],
    ),
    "daemon set on its nodes": (
        [nodes(1, labels={"gpu": "yes"}), nodes(2, cpu="500m")],
        [workload("agent", None, pod(nodeSelector={"gpu": "yes"}), "DaemonSet")],
    ),
    "daemon set for other nodes": ([nodes()], [workload("agent", None, pod(nodeSelector={"gpu": "yes"}), "DaemonSet")]),
    "scaled to nothing": ([nodes(1)], [workload("web", 0, pod(container("100")))]),
    "a job after another": (
        [nodes(1)],
        [manifest("batch/v1", "Job", f"job-{name}", {"template": {"spec": pod(container("3"))}}) for name in "ab"],
    ),
    "host ports on other nodes": ([nodes(2)], [workload("web", 2, pod(container(ports=[{"hostPort": 80}])))]),
    "not scheduled yet": ([nodes(1)], [workload("web", 1, pod(container("100"), schedulingGates=[{"name": "a"}]))]),
    "a custom resource": ([nodes(1)], [manifest("example.org/v1", "Database", "db", {"replicas": 3, "resources": {}})]),
}

FAILING: dict[str, tuple[list[Node], list[Manifest], str]] = {
    "too large": (
        [nodes(3)],
        [workload("web", 1, pod(container("5")))],
        "too little CPU left (5 requested, at most 4 free)",
    ),
    "too much memory": ([nodes(3)], [workload("web", 1, pod(container("1", "9Gi")))], "too little memory"),
    "more than any number": ([nodes(3)], [workload("web", 1, pod(container("1e30")))], "too little CPU left"),
    "more than any size": ([nodes(3)], [workload("web", 1, pod(container("1", "1e40")))], "too little memory left"),
    "sum": ([nodes(2, cpu="2")], [workload("web", 5, pod())], "request 5 cores of CPU"),
    "sum of memory": ([nodes(2)], [workload("web", 5, pod(container("100m", "4Gi")))], "request 20Gi of memory"),
    "pieces": (
        [nodes(3)],
        [workload("web", 4, pod(container("2.5")))],
        "are 4, and the 3 nodes that may run them can hold 3",
    ),
    "a limit is a request": (
        [nodes(1)],
        [workload("web", 1, pod({"name": "main", "resources": {"limits": {"cpu": "5"}}}))],
        "5 requested",
    ),
    "init container": ([nodes(1)], [workload("web", 1, pod(initContainers=[container("5")]))], "5 requested"),
    "sidecar": (
        [nodes(1)],
        [workload("web", 1, pod(container("2"), initContainers=[container("3", restartPolicy="Always")]))],
        "5 requested",
    ),
    "overhead": ([nodes(1)], [workload("web", 1, pod(container("4"), overhead={"cpu": "1"}))], "5 requested"),
    "beside daemon sets": (
        [nodes(3)],
        [workload("agent", None, pod(), "DaemonSet"), workload("web", 1, pod(container("3500m")))],
        "3.5 requested, at most 3 free",
    ),
    "daemon sets": (
        [nodes(3, cpu="1")],
        [workload(name, None, pod(container("600m")), "DaemonSet") for name in ("a", "b")],
        "cannot hold all their DaemonSets",
    ),
    "no gpu": ([nodes()], [workload("web", 1, pod(container(gpu=1)))], "too little amd.com/gpu left"),
    "gpus": ([GPU_NODE], [workload("web", 3, pod(container(gpu=4)))], "request 12 of amd.com/gpu"),
    "Pods": (
        [nodes(2, pods=3)],
        [workload("web", 7, pod(container(None, None)))],
        "are 7, and the 2 nodes that may run them can take 6",
    ),
    "tainted": ([TAINTED], [workload("web", 1, pod())], "the taint `dedicated=db:NoSchedule`"),
    "another taint": ([TAINTED], [workload("web", 1, pod(tolerations=[{**TOLERATION, "value": "web"}]))], "the taint"),
    "another effect": (
        [nodes(taints=("dedicated=db:NoExecute",))],
        [workload("web", 1, pod(tolerations=[TOLERATION]))],
        "the taint",
    ),
    "selected": (
        [nodes()],
        [workload("web", 1, pod(nodeSelector={"disk": "ssd"}))],
        "the labels that it asks for (disk)",
    ),
    "windows": ([nodes()], [workload("web", 1, pod(nodeSelector={"kubernetes.io/os": "windows"}))], "kubernetes.io/os"),
    "affinity": (
        [nodes(labels={"disk": "hdd"})],
        [workload("web", 1, pod(affinity=expressions({"key": "disk", "operator": "NotIn", "values": ["hdd"]})))],
        "the labels that it asks for (disk)",
    ),
    "apart": ([nodes(2)], [workload("web", 3, pod(affinity=apart("web")))], "at most 2 of its 3 Pods can run at once"),
    "apart in zones": (ZONES, [workload("web", 4, pod(affinity=apart("web", ZONE)))], "at most 3 of its 4 Pods"),
    "a host port beside a DaemonSet's": (
        [nodes(1)],
        [
            workload("agent", None, pod(container(ports=[{"hostPort": 80}])), "DaemonSet"),
            workload("web", 1, pod(container(ports=[{"hostPort": 80}]))),
        ],
        "1 node has its host port taken",
    ),
    "kept away by others": (
        [nodes(2)],
        [workload("db", None, pod(affinity=apart("web")), "DaemonSet"), workload("web", 1, pod())],
        "no placement",
    ),
    "near what is not there": ([nodes(3)], [workload("web", 1, pod(affinity=near("cache")))], "no placement"),
    "spread over a label that is not there": (
        [nodes(3)],
        [workload("web", 1, pod(topologySpreadConstraints=spread("web", ZONE)))],
        "the labels that it asks for (topology.kubernetes.io/zone)",
    ),
    "spread beside a full node": (
        [nodes(1, cpu="1"), nodes(1, cpu="9")],
        [workload("web", 4, pod(topologySpreadConstraints=spread("web")))],
        "no placement",
    ),
    "too few domains": (
        ZONES,
        [workload("web", 4, pod(topologySpreadConstraints=spread("web", ZONE, minDomains=4)))],
        "no placement",
    ),
    "host ports": (
        [nodes(2)],
        [workload("web", 3, pod(container(ports=[{"hostPort": 80}])))],
        "at most 2 of its 3 Pods",
    ),
    "host network": (
        [nodes(1)],
        [workload("web", 2, pod(container(ports=[{"containerPort": 80}]), hostNetwork=True))],
        "at most 1 of its 2 Pods",
    ),
    "a job": (
        [nodes(3)],
        [manifest("batch/v1", "Job", "job", {"template": {"spec": pod(container("5"))}})],
        "1 Pod of it finds no node: 3 nodes have too little CPU left",
    ),
    "a job beside others": (
        [nodes(1)],
        [workload("web", 2, pod()), manifest("batch/v1", "Job", "job", {"template": {"spec": pod(container("3"))}})],
        "finds no node beside the Pods that stay",
    ),
    "an autoscaler's least": (
        [nodes(1)],
        [
            workload("web", None, pod()),
            manifest(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                "web",
                {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 5, "maxReplicas": 9},
            ),
        ],
        "request 5 cores of CPU",
    ),
    "a custom resource": (
        [nodes(1)],
        [manifest("example.org/v1", "Database", "db", {"instances": 3, "resources": {"requests": {"cpu": "2"}}})],
        "request 6 cores of CPU",
    ),
}


@pytest.mark.parametrize("case", FITTING.values(), ids=FITTING)
def test_what_fits_is_not_reported(case: Case) -> None:
    assert steady(case) == []


@pytest.mark.parametrize(("on", "manifests", "expected"), FAILING.values(), ids=FAILING)
def test_what_does_not_fit_is_reported(on: list[Node], manifests: list[Manifest], expected: str) -> None:
    found = steady((on, manifests))

    assert any(expected in one.message for one in found), found
    assert {one.code for one in found} == {"does-not-fit"}
    assert all(one.fix and one.where for one in found)


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("sum", Severity.ERROR),
        ("tainted", Severity.ERROR),
        ("selected", Severity.WARNING),
        ("no gpu", Severity.WARNING),
    ],
)
def test_only_what_is_proven_is_an_error(name: str, severity: Severity) -> None:
    on, manifests, _ = FAILING[name]

    assert {one.severity for one in steady((on, manifests))} == {severity}


def test_the_fix_names_the_number_of_nodes_that_would_do() -> None:
    (found,) = steady(([nodes(2, cpu="2")], [workload("web", 7, pod())]))

    assert found.fix.startswith("write `count: 4` instead of 2 at target.nodes[0]")
    assert found.where == "input/config.yaml:5"


def test_nodes_without_sizes_give_a_notice() -> None:
    (found,) = steady(([nodes(3, cpu="")], [workload("web", 7, pod())]))

    assert found.severity is Severity.NOTICE
    assert "cannot be decided without cpu of target.nodes[0]" in found.message


def test_a_placement_that_the_scheduler_may_not_find_is_a_warning() -> None:
    pods = (("a", "6"), ("b", "4"), ("c", "5"), ("d", "5"))
    on = [nodes(2, cpu="10")]

    (found,) = steady((on, [workload(name, 1, pod(container(cpu)), "StatefulSet") for name, cpu in pods]))
    assert found.severity is Severity.WARNING
    assert "4 Pods fit on 2 nodes only if they are packed" in found.message


def test_a_target_without_nodes_has_no_finding() -> None:
    assert steady(([], [workload("web", 7, pod(container("100")))])) == []


def test_a_daemon_set_whose_host_port_another_takes_is_left_to_the_check_of_ports() -> None:
    one, other = (
        workload(name, None, pod(container("3", ports=[{"hostPort": 9100}])), "DaemonSet") for name in ("a", "b")
    )

    stack = checked([nodes(3)], one, other)
    assert steady(([nodes(3)], [one, other])) == []
    assert [(later.manifest, earlier.manifest) for later, earlier in StackFit.of(stack).displaced] == [(other, one)]


class TestUpdates:
    def test_a_deployment_that_keeps_its_pods_apart_on_every_node_is_stuck(self) -> None:
        web = workload("web", 3, pod(affinity=apart("web")))

        (found,) = does_not_fit.findings(checked([nodes(3)], web, size=Size.SMALL))
        assert found.severity is Severity.WARNING
        assert "rolling update cannot begin" in found.message
        assert found.object == web.id

    @pytest.mark.parametrize(
        "strategy",
        [
            {"type": "Recreate"},
            {"rollingUpdate": {"maxUnavailable": 1}},
            {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
            {"rollingUpdate": {"maxUnavailable": "50%"}},
            {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}},
        ],
    )
    def test_one_that_ends_old_pods_first_is_not(self, strategy: dict[str, Any]) -> None:
        web = workload("web", 3, pod(affinity=apart("web")), strategy=strategy)

        assert not list(does_not_fit.findings(checked([nodes(3)], web)))

    def test_one_on_fewer_nodes_is_not(self) -> None:
        assert not list(does_not_fit.findings(checked([nodes(4)], workload("web", 3, pod(affinity=apart("web"))))))

    def test_revisions_that_do_not_repel_each_other_are_not(self) -> None:
        term = {
            "labelSelector": {"matchLabels": {"app": "web"}},
            "topologyKey": HOSTNAME,
            "matchLabelKeys": ["pod-template-hash"],
        }
        web = workload("web", 3, pod(affinity={"podAntiAffinity": {REQUIRED: [term]}}))

        assert not list(does_not_fit.findings(checked([nodes(3)], web)))

    def test_a_full_cluster_is_stuck(self) -> None:
        found = list(does_not_fit.findings(checked([nodes(1)], workload("web", 2, pod(container("2"))))))

        assert "(1 node has too little CPU left (2 requested, nothing free))" in found[0].message


class TestOneNodeDown:
    def test_without_room_elsewhere_it_is_reported(self) -> None:
        stack = checked([nodes(2)], workload("web", 6, pod(), "StatefulSet"), size=Size.MEDIUM)

        (found,) = does_not_fit.findings(stack)
        assert found.severity is Severity.WARNING
        assert "with one node of target.nodes[0] down there is no room for 2 Pods of" in found.message

    def test_with_room_it_is_not(self) -> None:
        assert not list(does_not_fit.findings(checked([nodes(3)], workload("web", 8, pod(), "StatefulSet"))))

    def test_the_placement_stays_as_it_was(self) -> None:
        fit = StackFit.of(checked([nodes(2)], workload("web", 6, pod(), "StatefulSet")))
        before = [list(free) for free in fit.result.placement.board.free]

        assert fit.nodes_down
        assert fit.update.pods == 0
        assert fit.result.placement.board.free == before


def test_an_autoscaler_at_its_largest_is_judged_apart() -> None:
    target = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 2, "maxReplicas": 9}
    scaler = manifest("autoscaling/v2", "HorizontalPodAutoscaler", "web", target)
    fit = StackFit.of(checked([nodes(1)], workload("web", None, pod()), scaler))

    assert fit.result.is_placed
    assert fit.peak
    assert not fit.peak.is_placed
