"""What production asks of a component's objects: each check has its finding, and exceptions accept it."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.checks import registry
from cluster_forge.checks.exemption import Exemption
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.model import Size

GOOD: dict[str, Any] = {
    "name": "web",
    "image": "example.com/web:1.0.0",
    "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}
LABELS = {"app": "web"}


def manifest(kind: str, spec: dict[str, Any], **more: Any) -> Manifest:
    api = {"Deployment": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1"}.get(kind, "v1")
    body = {"apiVersion": api, "kind": kind, "metadata": {"name": "web", "namespace": "web"}, "spec": spec, **more}
    return Manifest.of(body, Provenance(component=ComponentName("web"), origin="a.yaml"))


def deployment(container: dict[str, Any] | None = None, replicas: int | None = 1, **pod: Any) -> Manifest:
    containers = [{**GOOD, **(container or {})}]
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": containers, **pod}}
    return manifest("Deployment", {"replicas": replicas, "template": template})


SERVICE = manifest("Service", {"selector": LABELS})
BUDGET = manifest("PodDisruptionBudget", {"selector": {"matchLabels": LABELS}})
SPREAD: dict[str, Any] = {"topologySpreadConstraints": [{"topologyKey": "kubernetes.io/hostname"}]}


def codes(*manifests: Manifest, size: Size = Size.SMALL, level: str = "restricted", **options: Any) -> list[str]:
    findings = registry.check_component(manifests, size=size, level=level, **options)
    return sorted(finding.code for finding in findings)


def test_a_good_component_has_no_findings() -> None:
    assert codes(deployment()) == []
    assert codes(deployment(replicas=2, **SPREAD), SERVICE, BUDGET, size=Size.LARGE) == []


@pytest.mark.parametrize(
    ("container", "code"),
    [
        ({"image": "web"}, "unpinned-image"),
        ({"image": "example.com:5000/web"}, "unpinned-image"),
        ({"image": "web:latest"}, "unpinned-image"),
        ({"image": "docker.io/bitnami/redis:7"}, "gone-image"),
        ({"image": "bitnami/redis:7"}, "gone-image"),
        ({"resources": {"limits": {"memory": "1Gi"}}}, "requests"),
        ({"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}, "memory-limit"),
        ({"env": [{"name": "DB_PASSWORD", "value": "Zk3pQx9wLt7vRb2n"}]}, "plaintext-secret"),
        ({"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "Zk3pQx9wLt7vRb2n"}]}, "plaintext-secret"),
        ({"securityContext": {}}, "pod-security"),
        ({"securityContext": {**GOOD["securityContext"], "runAsUser": 0}}, "pod-security"),
        ({"ports": [{"hostPort": 80}]}, "pod-security"),
    ],
)
def test_a_container_has_one_finding(container: dict[str, Any], code: str) -> None:
    assert codes(deployment(container)) == [code]


def test_images_by_digest_and_secrets_by_name_have_no_findings() -> None:
    named = {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    assert codes(deployment({"image": f"web@sha256:{'0' * 64}", "env": [named]})) == []


def test_pod_security_depends_on_the_level() -> None:
    plain = deployment({"securityContext": {}})
    assert (codes(plain, level="baseline"), codes(plain, level="restricted")) == ([], ["pod-security"])
    host = deployment(hostNetwork=True, volumes=[{"hostPath": {"path": "/"}}])
    assert (codes(host, level="privileged"), codes(host, level="baseline")) == ([], ["pod-security"])
    strong = deployment(
        {"securityContext": {**GOOD["securityContext"], "capabilities": {"add": ["SYS_ADMIN"], "drop": ["ALL"]}}}
    )
    assert codes(strong, level="baseline") == ["pod-security"]
    assert codes(deployment({"securityContext": {"privileged": True}}), level="baseline") == ["pod-security"]


def test_exposed_services_and_filled_secrets_are_reported() -> None:
    assert codes(manifest("Service", {"type": "NodePort"})) == ["service-type"]
    assert codes(manifest("Service", {"type": "LoadBalancer"})) == ["service-type"]
    assert codes(manifest("Service", {"type": "ClusterIP"})) == []
    assert codes(manifest("Secret", {}, stringData={"password": "hunter2"})) == ["plaintext-secret"]
    assert codes(manifest("Secret", {}, data={"password": ""})) == []


@pytest.mark.parametrize(
    ("manifests", "expected"),
    [
        ((deployment(**SPREAD), SERVICE, BUDGET), ["replicas"]),
        ((deployment(replicas=None, **SPREAD), SERVICE, BUDGET), ["replicas"]),
        ((deployment(replicas=2, **SPREAD), SERVICE), ["disruption-budget"]),
        ((deployment(replicas=2), SERVICE, BUDGET), ["spread"]),
        ((deployment(replicas=2, affinity={"podAntiAffinity": {"x": 1}}), SERVICE, BUDGET), []),
        ((deployment(), BUDGET), []),
        ((deployment(replicas=0), SERVICE), []),
    ],
)
def test_workloads_behind_a_service_are_replicated_above_small(
    manifests: tuple[Manifest, ...], expected: list[str]
) -> None:
    assert codes(*manifests, size=Size.MEDIUM) == expected
    assert codes(*manifests, size=Size.SMALL) == []


def scaler(api: str, kind: str, target: dict[str, str], namespace: str = "web") -> Manifest:
    metadata = {"name": "web", "namespace": namespace}
    body = {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": {"scaleTargetRef": target}}
    return Manifest.of(body, Provenance(component=ComponentName("web"), origin="a.yaml"))


HPA = ("autoscaling/v2", "HorizontalPodAutoscaler")
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


@pytest.mark.parametrize(
    "autoscaler", [scaler(*HPA, DEPLOYMENT), scaler("keda.sh/v1alpha1", "ScaledObject", {"name": "web"})]
)
def test_an_autoscaler_replaces_replicas(autoscaler: Manifest) -> None:
    assert codes(deployment(replicas=None, **SPREAD), SERVICE, BUDGET, autoscaler, size=Size.LARGE) == []


@pytest.mark.parametrize(
    "autoscaler",
    [
        scaler(*HPA, {**DEPLOYMENT, "kind": "StatefulSet"}),
        scaler(*HPA, {**DEPLOYMENT, "name": "other"}),
        scaler(*HPA, DEPLOYMENT, namespace="other"),
    ],
)
def test_an_autoscaler_of_another_workload_does_not(autoscaler: Manifest) -> None:
    assert codes(deployment(**SPREAD), SERVICE, BUDGET, autoscaler, size=Size.LARGE) == ["replicas"]


EXPRESSION = {"key": "app", "operator": "In", "values": ["web"]}


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ({"selector": {"matchExpressions": [EXPRESSION]}}, []),
        ({"selector": {}}, []),
        ({}, ["disruption-budget"]),
        ({"selector": {"matchExpressions": [{**EXPRESSION, "operator": "NotIn"}]}}, ["disruption-budget"]),
        ({"selector": {"matchLabels": {"app": "db"}}}, ["disruption-budget"]),
    ],
)
def test_a_budget_selects_as_kubernetes_does(budget: dict[str, Any], expected: list[str]) -> None:
    objects = (deployment(replicas=2, **SPREAD), SERVICE, manifest("PodDisruptionBudget", budget))
    assert codes(*objects, size=Size.MEDIUM) == expected


@pytest.mark.parametrize(
    ("container", "pod", "expected"),
    [
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, {}, []),
        ({"limits": {"memory": "1Gi"}}, {}, ["requests"]),
        ({}, {"requests": {"cpu": "1", "memory": "1Gi"}}, ["memory-limit"]),
        ({}, {"limits": {"cpu": "1", "memory": "1Gi"}}, []),
        ({"requests": {"cpu": "1"}}, {"limits": {"memory": "1Gi"}}, []),
    ],
)
def test_a_limit_is_a_request_and_a_pod_may_have_both(
    container: dict[str, Any], pod: dict[str, Any], expected: list[str]
) -> None:
    assert codes(deployment({"resources": container}, resources=pod)) == expected


def test_jobs_are_checked_and_hooks_are_not() -> None:
    pod: dict[str, Any] = {"template": {"spec": {"containers": [{"name": "x", "image": "x"}]}}}
    assert "unpinned-image" in codes(manifest("CronJob", {"jobTemplate": {"spec": pod}}))
    assert "unpinned-image" in codes(manifest("Pod", pod["template"]["spec"]))
    hook = manifest("Job", pod, metadata={"name": "test", "annotations": {"helm.sh/hook": "test"}})
    assert codes(hook) == []


def test_an_exemption_accepts_its_code_for_its_objects_only() -> None:
    unpinned = deployment({"image": "web"})
    assert codes(unpinned, exemptions=[Exemption(code="unpinned-image", objects=("Deployment/w*",))]) == []
    assert codes(unpinned, exemptions=[Exemption(code="unpinned-image")]) == []
    for other in (
        Exemption(code="unpinned-image", objects=("DaemonSet/*",)),
        Exemption(code="gone-image", objects=("Deployment/*",)),
    ):
        assert codes(unpinned, exemptions=[other]) == ["unpinned-image"]


def test_a_finding_names_the_object_the_problem_and_the_fix() -> None:
    (finding,) = registry.check_component([deployment({"image": "web"})], size=Size.SMALL, level="restricted")
    assert (finding.severity, finding.component) == (Severity.WARNING, "web")
    assert str(finding.object) == "Deployment.apps/web/web"
    assert finding.message == "container web: image 'web' has no tag, or the tag latest"
    assert finding.fix == "set a version tag or a digest in the values"
