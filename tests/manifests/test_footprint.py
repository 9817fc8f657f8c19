"""Quantities, and the resources that objects request."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cluster_forge.foundation import quantity
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import footprint
from cluster_forge.manifests.footprint import Footprint
from cluster_forge.manifests.manifest import Manifest, Provenance

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", "0.5"),
        ("2", "2"),
        (1.5, "1.5"),
        ("64Mi", str(64 * MIB)),
        ("1Gi", str(1024 * MIB)),
        ("1e3", "1000"),
        ("10k", "10000"),
        ("3u", "0.000003"),
        (".5", "0.5"),
    ],
)
def test_a_quantity_is_parsed(text: str, number: str) -> None:
    assert quantity.parse(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "1 Gi", "Mi", "1KI", "one", "1e"])
def test_other_text_is_not_a_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        quantity.parse(text)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (512, "512"), (64 * MIB, "64Mi"), (1536 * MIB, "1.5Gi"), (1024**4, "1Ti")]
)
def test_sizes_as_text(number: int, text: str) -> None:
    assert quantity.size(Decimal(number)) == text


def test_cores_as_text() -> None:
    assert [quantity.cores(Decimal(number)) for number in ("0", "0.250", "3.0", "20")] == ["0", "0.25", "3", "20"]


def body(kind: str, spec: dict[str, Any], **metadata: Any) -> Manifest:
    return Manifest.of(
        {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web", **metadata}, "spec": spec},
        Provenance(component=ComponentName("web"), origin="a.yaml"),
    )


def container(cpu: str, memory: str, limit: str = "1Gi") -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}}


def pod(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"template": {"spec": {"containers": list(containers), **more}}}


def test_containers_and_volumes_count_for_every_replica() -> None:
    claim = {"spec": {"resources": {"requests": {"storage": "10Gi"}}}}
    total = footprint.of(
        [
            body(
                "StatefulSet",
                {
                    "replicas": 3,
                    **pod(container("100m", "1Gi"), container("50m", "1Gi")),
                    "volumeClaimTemplates": [claim],
                },
            ),
            body("PersistentVolumeClaim", claim["spec"]),
        ]
    )
    assert (total.pods, total.cpu, total.memory, total.storage) == (
        3,
        Decimal("0.45"),
        Decimal(6 * 1024 * MIB),
        Decimal(40 * 1024 * MIB),
    )


def test_an_init_container_counts_if_it_requests_more() -> None:
    total = footprint.of([body("Deployment", pod(container("1", "1Gi"), initContainers=[container("2", "1Mi")]))])
    assert (total.cpu, total.memory) == (Decimal(2), Decimal(1024 * MIB))


def test_a_pod_requests_what_the_scheduler_counts() -> None:
    sidecar = {**container("500m", "1Gi"), "restartPolicy": "Always"}
    limited = {"name": "c", "resources": {"limits": {"cpu": "1", "memory": "2Gi"}}}
    more = {"initContainers": [sidecar], "overhead": {"memory": "1Gi"}}
    total = footprint.of([body("Deployment", pod(limited, **more))])
    assert (total.cpu, total.memory, total.memory_limit) == (
        Decimal("1.5"),
        Decimal(4 * 1024 * MIB),
        Decimal(2 * 1024 * MIB),
    )


def test_an_autoscaled_workload_counts_with_its_minimum() -> None:
    scaler = body("HorizontalPodAutoscaler", {"scaleTargetRef": {"name": "web"}, "minReplicas": 4})
    assert footprint.of([body("Deployment", {"replicas": None, **pod(container("1", "1Gi"))}), scaler]).pods == 4


def test_daemon_sets_and_custom_resources_count_but_not_jobs_and_hooks() -> None:
    prometheus = {
        "replicas": 2,
        **container("1", "1Gi"),
        "storage": {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}},
    }
    cluster = {"instances": 3, **container("1", "1Gi"), "storage": {"size": "1Gi"}}
    total = footprint.of(
        [
            body("DaemonSet", pod(container("100m", "64Mi"))),
            body("Job", pod(container("9", "9Gi"))),
            body("Deployment", pod(container("9", "9Gi")), annotations={"helm.sh/hook": "test"}),
            body("Prometheus", prometheus),
            body("Cluster", cluster),
            body("Certificate", {"secretName": "x"}),
        ]
    )
    assert (total.node_cpu, total.node_memory) == (Decimal("0.1"), Decimal(64 * MIB))
    assert (total.pods, total.cpu, total.storage) == (5, Decimal(5), Decimal(5 * 1024 * MIB))


def test_objects_without_requests_count_nothing() -> None:
    assert footprint.of([body("Service", {"ports": []}), body("Deployment", pod({"name": "c"}))]) == Footprint(pods=1)
    assert footprint.of([body("Deployment", pod(container("much", "1Gi")))]).cpu == 0
