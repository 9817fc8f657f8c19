"""What production asks of the components that a user wrote."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.checks.production import own_components
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Severity
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.model import Size

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}}


def manifest(body: Any) -> Manifest:
    return Manifest.of(body, Provenance(component=ComponentName("shop"), origin="shop.yaml:1"))


def workload(name: str = "web", **container: Any) -> Manifest:
    pod = {"containers": [{"name": "web", "image": "registry.example.com/web:1.0", **container}]}
    return manifest(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": name}}, "spec": pod}},
        }
    )


def service() -> Manifest:
    return manifest({**SERVICE, "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]}})


def codes(*manifests: Manifest, size: Size = Size.LARGE) -> list[tuple[str, str]]:
    return [(one.code, one.severity.value) for one in own_components.findings(manifests, size=size, level="")]


def test_a_rule_has_one_finding_for_a_component() -> None:
    first, limit = own_components.findings([workload("a"), workload("b"), workload("c")], size=Size.LARGE, level="")
    assert first.message == "container web requests no cpu and no memory; 2 more in the component alike"
    assert (first.object, limit.code) == (workload("a").id, "memory-limit")


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (Size.SMALL, []),
        (Size.MEDIUM, [("requests", "warning"), ("memory-limit", "warning"), ("replicas", "warning")]),
    ],
)
def test_small_need_not_stay_up_and_a_service_may_be_reached(size: Size, expected: list[tuple[str, str]]) -> None:
    assert codes(workload(), service(), size=size) == expected


def test_an_image_that_is_gone_is_a_warning_at_every_size() -> None:
    resources = {"requests": {"cpu": 1, "memory": 1}, "limits": {"memory": 1}}
    gone = workload(image="docker.io/bitnami/redis:7.2", resources=resources)
    assert codes(gone, size=Size.SMALL) == [("gone-image", Severity.WARNING.value)]


@pytest.mark.parametrize("wrong", [None, 1, "x", [], {}, [1], {"requests": 1}, {"requests": [], "limits": "x"}])
def test_values_of_the_wrong_type_never_raise(wrong: Any) -> None:
    for name in ("resources", "image", "ports", "securityContext"):
        assert "check-failed" not in dict(codes(workload(**{name: wrong}), service()))
    for field in ("spec", "metadata"):
        body = {**workload().body, field: {**workload().body["metadata"], "template": wrong, "selector": wrong}}
        assert "check-failed" not in dict(codes(manifest(body), manifest({**SERVICE, "spec": wrong})))
