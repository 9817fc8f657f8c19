"""The rules for production: what each object breaks, and what excuses it."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.catalog.component_format import Exemption
from cluster_forge.checks import production
from cluster_forge.foundation.names import ComponentName
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
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "web", "namespace": "web"}, "spec": spec, **more}
    return Manifest.of(body, Provenance(component=ComponentName("web"), origin="a.yaml"))


def deployment(container: dict[str, Any] | None = None, replicas: int | None = 1, **pod: Any) -> Manifest:
    containers = [{**GOOD, **(container or {})}]
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": containers, **pod}}
    return manifest("Deployment", {"replicas": replicas, "template": template})


SERVICE = manifest("Service", {"selector": LABELS})
BUDGET = manifest("PodDisruptionBudget", {"selector": {"matchLabels": LABELS}})
SPREAD: dict[str, Any] = {"topologySpreadConstraints": [{"topologyKey": "kubernetes.io/hostname"}]}


def broken(*manifests: Manifest, size: Size = Size.SMALL, level: str = "restricted", **options: Any) -> list[str]:
    return sorted(each.rule for each in production.breaches(manifests, size=size, level=level, **options))


def test_a_good_one_breaks_none() -> None:
    assert broken(deployment()) == []
    assert broken(deployment(replicas=2, **SPREAD), SERVICE, BUDGET, size=Size.LARGE) == []


@pytest.mark.parametrize(
    ("container", "rule"),
    [
        ({"image": "web"}, "image-tag"),
        ({"image": "example.com:5000/web"}, "image-tag"),
        ({"image": "web:latest"}, "image-tag"),
        ({"image": "docker.io/bitnami/redis:7"}, "gone-image"),
        ({"image": "bitnami/redis:7"}, "gone-image"),
        ({"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}, "requests"),
        ({"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}, "memory-limit"),
        ({"env": [{"name": "DB_PASSWORD", "value": "secret"}]}, "literal-secret"),
        ({"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "secret"}]}, "literal-secret"),
        ({"securityContext": {}}, "pod-security"),
        ({"securityContext": {**GOOD["securityContext"], "runAsUser": 0}}, "pod-security"),
        ({"ports": [{"hostPort": 80}]}, "pod-security"),
    ],
)
def test_a_container_that_breaks_one(container: dict[str, Any], rule: str) -> None:
    assert broken(deployment(container)) == [rule]


def test_images_by_digest_and_secrets_by_name_are_fine() -> None:
    named = {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    assert broken(deployment({"image": f"web@sha256:{'0' * 64}", "env": [named]})) == []


def test_levels_of_pod_security() -> None:
    plain = deployment({"securityContext": {}})
    assert (broken(plain, level="baseline"), broken(plain, level="restricted")) == ([], ["pod-security"])
    host = deployment(hostNetwork=True, volumes=[{"hostPath": {"path": "/"}}])
    assert (broken(host, level="privileged"), broken(host, level="baseline")) == ([], ["pod-security"])
    strong = deployment(
        {"securityContext": {**GOOD["securityContext"], "capabilities": {"add": ["SYS_ADMIN"], "drop": ["ALL"]}}}
    )
    assert broken(strong, level="baseline") == ["pod-security"]
    assert broken(deployment({"securityContext": {"privileged": True}}), level="baseline") == ["pod-security"]


def test_services_and_secrets() -> None:
    assert broken(manifest("Service", {"type": "NodePort"})) == ["service-type"]
    assert broken(manifest("Service", {"type": "LoadBalancer"})) == ["service-type"]
    assert broken(manifest("Service", {"type": "ClusterIP"})) == []
    assert broken(manifest("Secret", {}, stringData={"password": "x"})) == ["literal-secret"]
    assert broken(manifest("Secret", {}, data={"password": ""})) == []


@pytest.mark.parametrize(
    ("manifests", "rule"),
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
def test_what_a_service_leads_to_stays_while_nodes_go(manifests: tuple[Manifest, ...], rule: list[str]) -> None:
    assert broken(*manifests, size=Size.MEDIUM) == rule
    assert broken(*manifests, size=Size.SMALL) == []


def test_an_autoscaler_says_how_many() -> None:
    scaler = manifest("HorizontalPodAutoscaler", {"scaleTargetRef": {"name": "web"}, "minReplicas": 2})
    assert broken(deployment(replicas=None, **SPREAD), SERVICE, BUDGET, scaler, size=Size.LARGE) == []


def test_jobs_are_looked_at_and_hooks_are_not() -> None:
    pod: dict[str, Any] = {"template": {"spec": {"containers": [{"name": "x", "image": "x"}]}}}
    assert "image-tag" in broken(manifest("CronJob", {"jobTemplate": {"spec": pod}}))
    assert "image-tag" in broken(manifest("Pod", pod["template"]["spec"]))
    hook = manifest("Job", pod, metadata={"name": "test", "annotations": {"helm.sh/hook": "test"}})
    assert broken(hook) == []


def test_an_exception_excuses_its_rule_and_objects_only() -> None:
    plain = deployment({"image": "web"})
    excuse = Exemption.model_validate({"rule": "image-tag", "objects": "Deployment/w*", "reason": "It is ours."})
    other = Exemption.model_validate({"rule": "image-tag", "objects": ["DaemonSet/*"], "reason": "It is ours."})
    assert broken(plain, exceptions=[excuse]) == []
    assert broken(plain, exceptions=[other]) == ["image-tag"]
    (told,) = production.breaches([plain], size=Size.SMALL, level="restricted")
    assert str(told) == "image-tag: Deployment/web: web takes 'web': no tag, or latest"
