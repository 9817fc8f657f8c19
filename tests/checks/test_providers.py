"""What objects need in the cluster is reported where neither the stack nor the target provides it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster_forge.checks import registry
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Document, Manifest, Provenance

RESOURCES, CUSTOM, EXTERNAL = "metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"
CLAIM = {"accessModes": ["ReadWriteOnce"]}


def resource(api: str, kind: str, spec: Any = None, name: str = "web", **metadata: Any) -> Manifest:
    body = {"apiVersion": api, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}
    return Manifest.of(body, Provenance(component=ComponentName("web"), origin="input/a.yaml:1"))


def autoscaler(*types: str, version: str = "v2", **spec: Any) -> Manifest:
    metrics = {"metrics": [{"type": name} for name in types]} if types else {}
    return resource(f"autoscaling/{version}", "HorizontalPodAutoscaler", {**metrics, **spec})


def api_service(group: str) -> Manifest:
    return resource("apiregistration.k8s.io/v1", "APIService", {"group": group}, f"v1beta1.{group}")


def storage_class(name: str, *, is_default: bool = False) -> Manifest:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if is_default else {}
    return resource("storage.k8s.io/v1", "StorageClass", name=name, annotations=annotations)


def claim(**spec: Any) -> Manifest:
    return resource("v1", "PersistentVolumeClaim", {**CLAIM, **spec})


def missing(*manifests: Manifest, capabilities: tuple[str, ...] = ()) -> list[str]:
    """What is missing, from the fixes."""
    found = registry.check_providers(manifests, capabilities)
    assert {(finding.code, finding.severity) for finding in found} <= {("missing-provider", Severity.WARNING)}
    return [finding.fix.partition("provides: [")[2].partition("]")[0] for finding in found]


@pytest.mark.parametrize(
    ("manifest", "groups"),
    [
        (autoscaler("Resource"), [RESOURCES]),
        (autoscaler("ContainerResource", version="v2beta2"), [RESOURCES]),
        (autoscaler(), [RESOURCES]),
        (autoscaler(version="v1", targetCPUUtilizationPercentage=50), [RESOURCES]),
        (autoscaler("Pods"), [CUSTOM]),
        (autoscaler("Object", "Resource"), [CUSTOM, RESOURCES]),
        (autoscaler("External"), [EXTERNAL]),
        (resource("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", {}), [RESOURCES]),
        (
            resource("keda.sh/v1alpha1", "ScaledObject", {"triggers": [{"type": "cpu"}, {"type": "kafka"}]}),
            [EXTERNAL, RESOURCES],
        ),
        (resource("example.org/v1", "HorizontalPodAutoscaler", {}), []),
        (resource("v1", "ConfigMap"), []),
    ],
)
def test_an_autoscaler_needs_the_api_of_its_metrics(manifest: Manifest, groups: list[str]) -> None:
    assert missing(manifest) == groups
    assert missing(manifest, capabilities=tuple(groups)) == []
    assert missing(manifest, *map(api_service, groups)) == []


def test_another_api_of_metrics_does_not_do() -> None:
    assert missing(autoscaler("Resource"), api_service(CUSTOM), api_service("metrics.k8s.io.example.org")) == [
        RESOURCES
    ]


@pytest.mark.parametrize("metrics", [5, "x", [5], [{"type": []}], [{"type": "Other"}], None])
def test_a_malformed_autoscaler_is_not_a_crash(metrics: Any) -> None:
    assert missing(autoscaler(metrics=metrics)) == [RESOURCES]
    assert missing(resource("autoscaling/v2", "HorizontalPodAutoscaler", "x")) == [RESOURCES]


@pytest.mark.parametrize(
    "manifest",
    [
        claim(),
        claim(storageClassName="fast"),
        resource("apps/v1", "StatefulSet", {"volumeClaimTemplates": [{"spec": CLAIM}]}),
        resource(
            "apps/v1",
            "Deployment",
            {"template": {"spec": {"volumes": [{"ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}}]}}},
        ),
    ],
)
def test_a_claim_needs_a_storage_class(manifest: Manifest) -> None:
    assert missing(manifest) == ["storage-class"]
    assert missing(manifest, capabilities=("storage-class",)) == []


def test_a_claim_finds_its_class_in_the_stack() -> None:
    assert missing(claim(), storage_class("fast")) == ["storage-class"]
    assert missing(claim(), storage_class("fast", is_default=True)) == []
    assert missing(claim(storageClassName="fast"), storage_class("fast")) == []
    assert missing(claim(storageClassName="other"), storage_class("fast", is_default=True)) == ["storage-class"]
    text = {"a.yaml": "kind: StorageClass\nmetadata: {name: fast}\n"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": text}
    driver = Manifest.of(body, Provenance(component=ComponentName("web"), origin=""))
    assert missing(claim(storageClassName="fast"), driver) == []


@pytest.mark.parametrize(
    "manifest",
    [
        claim(storageClassName=""),
        claim(volumeName="disk-1"),
        resource("apps/v1", "StatefulSet", {"volumeClaimTemplates": 5}),
        resource("apps/v1", "Deployment", {"template": None}),
        resource("batch/v1", "CronJob", {"jobTemplate": []}),
        resource("v1", "PersistentVolumeClaim", "x"),
    ],
)
def test_a_claim_of_a_volume_that_exists_and_malformed_ones_need_no_class(manifest: Manifest) -> None:
    assert missing(manifest) == []


def test_a_service_of_type_load_balancer_needs_addresses() -> None:
    service = resource("v1", "Service", {"type": "LoadBalancer"})
    assert missing(service) == ["loadbalancer"]
    assert missing(service, capabilities=("loadbalancer",)) == []
    assert missing(resource("v1", "Service", {"type": "ClusterIP"}), resource("v1", "Service")) == []


def test_an_ingress_needs_a_controller() -> None:
    ingress = resource("networking.k8s.io/v1", "Ingress", {})
    assert missing(ingress) == ["ingress"]
    assert missing(ingress, capabilities=("ingress",)) == []
    assert missing(ingress, resource("networking.k8s.io/v1", "IngressClass")) == []


def test_objects_of_a_component_that_need_the_same_are_one_finding() -> None:
    services = [resource("v1", "Service", {"type": "LoadBalancer"}, name) for name in ("a", "b", "c")]
    (finding,) = registry.check_providers(services, ())
    assert (finding.object, finding.where, finding.component) == (services[0].id, "input/a.yaml:1", "web")
    assert finding.message == (
        "needs loadbalancer, which neither the stack nor the target provides: it gets no address, and an Argo CD would wait for it "
        "(also: Service/b, Service/c)"
    )


@pytest.mark.parametrize(
    ("api", "kind", "text"), [("apps/v1", "Deployment", b"volumes: []\n"), ("v1", "Service", b"type: ClusterIP\n")]
)
def test_an_object_whose_text_names_no_claim_and_no_balancer_is_not_read(api: str, kind: str, text: bytes) -> None:
    manifest = resource(api, kind)
    unreadable = Document(json=b"", text=text, facts=manifest.facts)
    assert missing(replace(manifest, document=unreadable)) == []
