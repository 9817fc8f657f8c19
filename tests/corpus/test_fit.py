"""The Pods of real charts on nodes: what fits is not reported, and what one change makes impossible is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tests.corpus.conftest import Forged

from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.fit import does_not_fit
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import TEMPLATES
from cluster_forge.stack.model import Node, Stack, Target

pytestmark = pytest.mark.corpus

Pod = dict[str, Any]
NODES = (
    Node(count=4, cpu="16", memory="64Gi", labels={"disk": "ssd"}, where="input/config.yaml:9"),
    Node(count=2, cpu="4", memory="16Gi", taints=("dedicated=db:NoSchedule",), where="input/config.yaml:10"),
)
KINDS = ("Deployment", "StatefulSet")
MUTATED = 12
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def _cpu(pod: Pod, body: Pod) -> None:
    pod["containers"][0]["resources"] = {"requests": {"cpu": "17"}}


def _memory(pod: Pod, body: Pod) -> None:
    pod["containers"][-1]["resources"] = {"limits": {"memory": "65Gi"}}


def _init(pod: Pod, body: Pod) -> None:
    pod["initContainers"] = [{"name": "first", "image": "a:1", "resources": {"requests": {"cpu": "17"}}}]


def _device(pod: Pod, body: Pod) -> None:
    pod["containers"][0].setdefault("resources", {})["limits"] = {"amd.com/gpu": 1}


def _label(pod: Pod, body: Pod) -> None:
    pod["nodeSelector"] = {"disk": "tape"}


def _taint(pod: Pod, body: Pod) -> None:
    """Only the tainted nodes are left, and the taint is not tolerated."""
    pod["affinity"] = _on_nodes("NotIn", "ssd")
    pod["tolerations"] = [{"key": "dedicated", "operator": "Equal", "value": "web", "effect": "NoSchedule"}]


def _apart(pod: Pod, body: Pod) -> None:
    body["spec"]["replicas"] = 5
    term = {"labelSelector": {"matchLabels": _labels(body)}, "topologyKey": "kubernetes.io/hostname"}
    pod["affinity"] = {"podAntiAffinity": {REQUIRED: [term]}}


def _ports(pod: Pod, body: Pod) -> None:
    body["spec"]["replicas"] = 5
    pod["containers"][0]["ports"] = [{"containerPort": 31999, "hostPort": 31999}]


def _replicas(pod: Pod, body: Pod) -> None:
    body["spec"]["replicas"] = 1000
    pod["containers"][0]["resources"] = {"requests": {"cpu": "100m"}}


PLANTED = (_cpu, _memory, _init, _device, _label, _taint, _apart, _ports, _replicas)


def _large(pod: Pod, body: Pod) -> None:
    """As much as the nodes have beside their DaemonSets, roughly."""
    pod["containers"] = [{"name": "main", "image": "a:1", "resources": {"requests": {"cpu": "12", "memory": "48Gi"}}}]


def _known_label(pod: Pod, body: Pod) -> None:
    pod["nodeSelector"] = {"disk": "ssd"}


def _tolerated(pod: Pod, body: Pod) -> None:
    pod["affinity"] = _on_nodes("NotIn", "ssd")
    pod["tolerations"] = [{"key": "dedicated", "operator": "Exists"}]


def _as_many_as_nodes(pod: Pod, body: Pod) -> None:
    _apart(pod, body)
    body["spec"]["replicas"] = 3


def _spread(pod: Pod, body: Pod) -> None:
    pod.pop("affinity", None)
    body["spec"]["replicas"] = 9
    selector = {"matchLabels": _labels(body)}
    pod["topologySpreadConstraints"] = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": selector,
            "nodeTaintsPolicy": "Honor",
        }
    ]


def _many(pod: Pod, body: Pod) -> None:
    pod.pop("affinity", None)
    body["spec"]["replicas"] = 100
    pod["containers"] = [{"name": "main", "image": "a:1", "resources": {"requests": {"cpu": "10m"}}}]


NEAR = (_large, _known_label, _tolerated, _as_many_as_nodes, _spread, _many)


def _on_nodes(operator: str, disk: str) -> Pod:
    expression = {"key": "disk", "operator": operator, "values": [disk]}
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}}


def _labels(body: Pod) -> Pod:
    labels: Pod = body["spec"]["template"]["metadata"]["labels"]
    return labels


@pytest.fixture(scope="module")
def manifests(everything: Forged) -> list[Manifest]:
    """The objects that decide about Pods, without the second node exporter, whose port the first one has."""
    kinds = {kind for _, kind in TEMPLATES} | {"PriorityClass", "HorizontalPodAutoscaler", "Namespace", "RuntimeClass"}
    return [
        manifest
        for manifest in everything.manifests
        if manifest.id.kind in kinds and manifest.id.name != "prometheus-prometheus-node-exporter"
    ]


@pytest.fixture(scope="module")
def workloads(manifests: list[Manifest]) -> list[Manifest]:
    """Every third workload, each of another component."""
    by_component = {manifest.provenance.component: manifest for manifest in manifests if manifest.id.kind in KINDS}
    return list(by_component.values())[::3][:MUTATED]


def _findings(manifests: list[Manifest], *, nodes: tuple[Node, ...] = NODES) -> list[Finding]:
    stack = Stack(name="everything", target=Target(nodes=nodes))
    return [
        finding
        for finding in does_not_fit.findings(CheckedStack(stack, manifests, waves={}))
        if finding.severity is not Severity.NOTICE
    ]


def _mutated(manifests: list[Manifest], workload: Manifest, change: Callable[[Pod, Pod], None]) -> list[Manifest]:
    body = copy.deepcopy(dict(workload.body))
    change(body["spec"]["template"]["spec"], body)
    changed = Manifest.of(body, workload.provenance)
    return [changed if manifest is workload else manifest for manifest in manifests]


def test_the_real_stack_fits(manifests: list[Manifest]) -> None:
    assert _findings(manifests) == []


@pytest.mark.parametrize("change", PLANTED, ids=lambda change: change.__name__)
def test_a_planted_mistake_is_found(
    manifests: list[Manifest], workloads: list[Manifest], change: Callable[[Pod, Pod], None]
) -> None:
    assert len(workloads) == MUTATED
    missed = []
    for workload in workloads:
        findings = _findings(_mutated(manifests, workload, change))
        names = [str(finding.object or finding.message) for finding in findings]
        if not any(str(workload.id) in name for name in names):
            missed.append((str(workload.id), [finding.message for finding in findings]))
    assert missed == []


@pytest.mark.parametrize("change", NEAR, ids=lambda change: change.__name__)
def test_a_near_miss_is_not(
    manifests: list[Manifest], workloads: list[Manifest], change: Callable[[Pod, Pod], None]
) -> None:
    reported = [
        (str(workload.id), [finding.message for finding in findings])
        for workload in workloads
        if (findings := _findings(_mutated(manifests, workload, change)))
    ]
    assert reported == []
