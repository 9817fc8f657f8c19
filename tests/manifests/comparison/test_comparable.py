"""What servers, controllers and engines write is no difference."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.manifests.comparison import comparable

OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}}


@pytest.mark.parametrize(
    "metadata",
    [
        {"uid": "1", "resourceVersion": "2", "generation": 3, "managedFields": [], "creationTimestamp": "x"},
        {"annotations": {"argocd.argoproj.io/tracking-id": "a"}},
        {"labels": {"applyset.kubernetes.io/part-of": "a"}},
        {"labels": {"kustomize.toolkit.fluxcd.io/name": "a", "kustomize.toolkit.fluxcd.io/namespace": "b"}},
    ],
)
def test_server_fields_and_marks_are_left_out(metadata: dict[str, Any]) -> None:
    assert comparable.of({**OBJECT, "metadata": {"name": "a", **metadata}, "status": {"a": 1}}) == OBJECT


def test_other_labels_stay() -> None:
    labels = {"applyset.kubernetes.io/part-of": "a", "mine": "b"}
    assert comparable.of({**OBJECT, "metadata": {"name": "a", "labels": labels}})["metadata"]["labels"] == {"mine": "b"}


def test_ca_bundles_are_left_out_of_the_kinds_that_controllers_fill_in() -> None:
    webhooks = [{"name": "a", "clientConfig": {"caBundle": "x", "service": {"name": "b"}}}]
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "a"},
        "webhooks": webhooks,
    }
    assert comparable.of(body)["webhooks"] == [{"name": "a", "clientConfig": {"service": {"name": "b"}}}]
    assert comparable.of({**body, "apiVersion": "example.com/v1"})["webhooks"] == webhooks


def test_a_property_called_ca_bundle_stays_in_the_schema_of_a_crd() -> None:
    schema = {"openAPIV3Schema": {"properties": {"caBundle": {"type": "string"}}}}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "a"},
        "spec": {"versions": [{"name": "v1", "schema": schema}]},
    }
    assert comparable.of(body) == body


@pytest.mark.parametrize(
    ("manager", "subresource", "replicas"),
    [("kube-controller-manager", "scale", 5), ("kubectl", "scale", 2), ("kube-controller-manager", "status", 2)],
)
def test_replicas_that_an_autoscaler_sets_are_those_of_the_cluster(
    manager: str, subresource: str, replicas: int
) -> None:
    live = {
        "metadata": {"name": "a", "managedFields": [{"manager": manager, "subresource": subresource}]},
        "spec": {"replicas": 5},
    }
    assert comparable.autoscaled(live, {"spec": {"replicas": 2, "paused": True}})["spec"] == {
        "replicas": replicas,
        "paused": True,
    }
