"""The catalog's rules for custom resources, against the statuses that the documentation of their controllers describes.

The kinds are those of every component of the catalog, and of `stacks/everything` as forged.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from cluster_forge.catalog import readiness_index
from cluster_forge.catalog.library import packaged
from cluster_forge.manifests import health
from cluster_forge.manifests.health import Status

Tree = dict[str, Any]


def conditions(status: str, *types: str, message: str = "", generation: int | None = 3) -> Tree:
    observed = {} if generation is None else {"observedGeneration": generation}
    facts = {"status": status, "reason": "Reason", "message": message, **observed}
    return {"conditions": [{"type": type_, **facts} for type_ in types]}


def ready(*types: str) -> tuple[Tree, Tree]:
    """Working on it, and ready."""
    return conditions("False", *types, message="not yet"), conditions("True", *types)


READY = ready("Ready")
ACCEPTED = ready("Accepted", "Programmed")
AVAILABLE = ready("Available", "Reconciled")
STATUSES: Final[dict[tuple[str, str], tuple[Tree, Tree]]] = {
    ("cert-manager.io", "Certificate"): READY,
    ("cert-manager.io", "ClusterIssuer"): READY,
    ("cert-manager.io", "Issuer"): READY,
    ("external-secrets.io", "ClusterExternalSecret"): READY,
    ("external-secrets.io", "ClusterSecretStore"): READY,
    ("external-secrets.io", "ExternalSecret"): READY,
    ("external-secrets.io", "SecretStore"): READY,
    ("gateway.networking.k8s.io", "Gateway"): ACCEPTED,
    ("gateway.networking.k8s.io", "GatewayClass"): ACCEPTED,
    ("keda.sh", "ScaledJob"): READY,
    ("keda.sh", "ScaledObject"): READY,
    ("kueue.x-k8s.io", "ClusterQueue"): ready("Active"),
    ("kueue.x-k8s.io", "LocalQueue"): ready("Active"),
    ("kyverno.io", "ClusterPolicy"): READY,
    ("kyverno.io", "Policy"): READY,
    ("minio.min.io", "Tenant"): (
        {"currentState": "Provisioning MinIO Statefulset", "revision": 0},
        {"currentState": "Initialized", "healthStatus": "green"},
    ),
    ("monitoring.coreos.com", "Alertmanager"): AVAILABLE,
    ("monitoring.coreos.com", "Prometheus"): AVAILABLE,
    ("monitoring.coreos.com", "ThanosRuler"): AVAILABLE,
    ("nvidia.com", "ClusterPolicy"): (
        {"state": "notReady", "namespace": "gpu"},
        {"state": "ready", "namespace": "gpu"},
    ),
    ("policies.kyverno.io", "ValidatingPolicy"): (
        {"conditionStatus": {"ready": False, "conditions": []}},
        {"conditionStatus": {"ready": True, "conditions": []}},
    ),
    ("postgresql.cnpg.io", "Cluster"): (
        {
            "phase": "Setting up primary",
            **conditions("False", "Ready", message="Cluster Is Not Ready", generation=None),
        },
        {"phase": "Cluster in healthy state", **conditions("True", "Ready", generation=None)},
    ),
    ("psmdb.percona.com", "PerconaServerMongoDB"): (
        {"state": "initializing", **conditions("True", "initializing", generation=None)},
        {"state": "ready", **conditions("True", "ready", generation=None)},
    ),
    ("rabbitmq.com", "RabbitmqCluster"): ready(
        "AllReplicasReady", "ClusterAvailable", "NoWarnings", "ReconcileSuccess"
    ),
    ("ray.io", "RayCluster"): (
        {"state": "unhealthy", **conditions("False", "HeadPodReady", "RayClusterProvisioned")},
        {"state": "ready", **conditions("True", "HeadPodReady", "RayClusterProvisioned")},
    ),
    ("serving.kserve.io", "InferenceService"): ready("PredictorReady", "IngressReady", "Ready"),
    ("velero.io", "BackupStorageLocation"): (
        {"phase": "Unavailable", "message": "bucket not found"},
        {"phase": "Available", "lastValidationTime": "2026-01-01T00:00:00Z"},
    ),
}
"""For each kind what its controller writes while it works on an object, and when that is ready."""

SILENT: Final = {
    *(("aquasecurity.github.io", "ClusterComplianceReport"), ("nfd.k8s-sigs.io", "NodeFeatureRule")),
    *(("monitoring.coreos.com", kind) for kind in ("PodMonitor", "PrometheusRule", "ServiceMonitor")),
    ("serving.kserve.io", "ClusterStorageContainer"),
    *(("gateway.networking.k8s.io", "HTTPRoute"), ("gateway.envoyproxy.io", "EnvoyProxy")),
    *(("gateway.kgateway.dev", "GatewayParameters"), ("config.kaiwo.silogen.ai", "KaiwoConfig")),
    *(("kueue.x-k8s.io", "ResourceFlavor"), ("kueue.x-k8s.io", "Topology"), ("postgresql.cnpg.io", "ScheduledBackup")),
    *(("opentelemetry.io", "OpenTelemetryCollector"), ("amd.com", "DeviceConfig")),
}
"""Kinds of these stacks without a rule: no controller writes into them that they are ready, or only in some versions, where
the conditions of kstatus do."""
CASES: Final = sorted(STATUSES)


def judged(kind: tuple[str, str], status: Tree) -> health.Health:
    group, name = kind
    body = {"apiVersion": f"{group}/v1", "kind": name, "metadata": {"name": "one", "generation": 3}}
    return health.of({**body, **({"status": status} if status else {})}, readiness_index.packaged()[kind])


def test_every_rule_is_held_against_a_status() -> None:
    assert set(STATUSES) == set(readiness_index.packaged())


def test_the_light_reader_reads_what_the_catalog_says() -> None:
    assert readiness_index.packaged() == packaged().readiness


@pytest.mark.parametrize("kind", CASES)
def test_an_object_without_an_answer_is_not_ready(kind: tuple[str, str]) -> None:
    seen = judged(kind, {})
    assert (seen.status, seen.is_unanswered) == (Status.IN_PROGRESS, True)


@pytest.mark.parametrize("kind", CASES)
def test_an_object_that_is_worked_on_is_not_ready(kind: tuple[str, str]) -> None:
    seen = judged(kind, STATUSES[kind][0])
    assert (seen.status, seen.is_unanswered) == (Status.IN_PROGRESS, False)


@pytest.mark.parametrize("kind", CASES)
def test_an_object_that_its_controller_calls_ready_is(kind: tuple[str, str]) -> None:
    assert judged(kind, STATUSES[kind][1]).status is Status.READY


def test_conditions_of_an_older_generation_do_not_count() -> None:
    seen = judged(("cert-manager.io", "Certificate"), conditions("True", "Ready", generation=2))
    assert seen == health.Health(Status.IN_PROGRESS, "generation 3 is not observed yet (last: 2)")


def test_what_a_definition_sets_by_default_counts_for_nothing() -> None:
    pending = conditions("Unknown", "Accepted", message="Waiting for controller", generation=None)
    assert judged(("gateway.networking.k8s.io", "Gateway"), pending).is_unanswered


@pytest.mark.parametrize("kind", [("nvidia.com", "ClusterPolicy"), ("ray.io", "RayCluster")])
def test_some_will_not_become_ready(kind: tuple[str, str]) -> None:
    (failed,) = readiness_index.packaged()[kind].failed
    assert judged(kind, {"state": failed}).status is Status.FAILED


def test_the_message_is_that_of_the_controller() -> None:
    seen = judged(("velero.io", "BackupStorageLocation"), STATUSES["velero.io", "BackupStorageLocation"][0])
    assert seen.message == "phase is Unavailable: bucket not found"


@pytest.mark.parametrize("status", [None, [], "x", {"conditions": "x"}, {"conditions": [1, None]}, {"state": {"a": 1}}])
@pytest.mark.parametrize("kind", [("nvidia.com", "ClusterPolicy"), ("cert-manager.io", "Issuer")])
def test_a_status_of_another_shape_counts_for_nothing(kind: tuple[str, str], status: Any) -> None:
    assert judged(kind, status).is_unanswered


def test_every_kind_of_the_catalog_has_a_rule_or_is_known_to_need_none() -> None:
    kinds = {
        (str(body["apiVersion"]).rpartition("/")[0], str(body["kind"]))
        for component in packaged().components()
        for bodies in (component.objects, *(wiring.objects for wiring in component.wiring))
        for body in bodies
    }
    custom = {kind for kind in kinds if "." in kind[0] and kind[0] not in BUILT_IN}
    assert custom <= set(STATUSES) | SILENT


BUILT_IN: Final = {"rbac.authorization.k8s.io", "networking.k8s.io", "storage.k8s.io"}
