"""The storage that a stack claims, by class."""

from __future__ import annotations

from typing import Any

from tests.checks.fit_stacks import checked, manifest, pod, workload

from cluster_forge.checks.fit import views
from cluster_forge.checks.fit.stack_fit import StackFit


def claim(size: Any, **spec: Any) -> dict[str, Any]:
    return {"resources": {"requests": {"storage": size}}, **spec}


def test_claims_are_added_up_by_class() -> None:
    ephemeral = {
        "name": "scratch",
        "ephemeral": {"volumeClaimTemplate": {"spec": claim("1Gi", storageClassName="fast")}},
    }
    stack = checked(
        [],
        manifest("v1", "PersistentVolumeClaim", "data", claim("5Gi")),
        manifest("v1", "PersistentVolumeClaim", "bound", claim("5Gi", volumeName="pv-1")),
        manifest("v1", "PersistentVolumeClaim", "static", claim("5Gi", storageClassName="")),
        workload(
            "db", 3, pod(), "StatefulSet", volumeClaimTemplates=[{"spec": claim("10Gi", storageClassName="fast")}]
        ),
        workload("web", 2, pod(volumes=[ephemeral, {"name": "tmp", "emptyDir": {}}])),
    )

    assert views.page(StackFit.of(stack))["volumes"] == [
        {"class": "", "claims": 1, "storage": "5Gi"},
        {"class": "fast", "claims": 5, "storage": "32Gi"},
    ]


def test_values_of_another_type_claim_nothing() -> None:
    stack = checked(
        [],
        manifest("v1", "PersistentVolumeClaim", "a", claim([1], storageClassName=3)),
        workload("db", 1, pod(volumes=[1, {"ephemeral": 2}]), "StatefulSet", volumeClaimTemplates=[None, {"spec": 1}]),
    )

    assert [one["storage"] for one in views.page(StackFit.of(stack))["volumes"]] == ["0"]
