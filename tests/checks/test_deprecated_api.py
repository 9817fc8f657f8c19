"""API versions that a later Kubernetes does not serve, and those that a CRD deprecates."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.checked_stacks import checked_stack

from cluster_forge.checks.acceptance import deprecated_api
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest, Provenance


def findings(*bodies: dict[str, Any], minor: int) -> list[Finding]:
    provenance = Provenance(component=ComponentName("web"), origin="templates/web.yaml")
    return list(deprecated_api.findings(checked_stack([Manifest.of(body, provenance) for body in bodies], minor=minor)))


def flow_schema(version: str) -> dict[str, Any]:
    return {"apiVersion": f"flowcontrol.apiserver.k8s.io/{version}", "kind": "FlowSchema", "metadata": {"name": "a"}}


@pytest.mark.parametrize(
    ("version", "minor", "severity", "message", "fix"),
    [
        ("v1beta3", 31, "warning", "breaks at 1.32", "flowcontrol.apiserver.k8s.io/v1`"),
        ("v1beta3", 29, "notice", "breaks at 1.32", "flowcontrol.apiserver.k8s.io/v1`"),
        ("v1beta2", 28, "warning", "breaks at 1.29", "flowcontrol.apiserver.k8s.io/v1beta3`"),
        ("v1beta1", 25, "warning", "breaks at 1.26", "flowcontrol.apiserver.k8s.io/v1beta2`"),
    ],
)
def test_what_a_later_minor_does_not_serve_is_found(
    version: str, minor: int, severity: str, message: str, fix: str
) -> None:
    (finding,) = findings(flow_schema(version), minor=minor)
    assert (finding.severity, finding.field) == (severity, "apiVersion")
    assert message in finding.message
    assert fix in finding.fix


def test_what_is_gone_already_or_never_goes_is_not_found() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    assert findings(flow_schema("v1beta3"), flow_schema("v1"), pod, minor=32) == []


def test_a_version_that_its_crd_deprecates_is_found_with_the_warning_of_the_crd() -> None:
    versions = [
        {"name": "v1", "served": True, "storage": True},
        {"name": "v1beta1", "served": True, "storage": False, "deprecated": True, "deprecationWarning": "use v1"},
    ]
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}, "versions": versions},
    }
    old = {"apiVersion": "example.com/v1beta1", "kind": "Widget", "metadata": {"name": "old", "namespace": "a"}}
    new = {**old, "apiVersion": "example.com/v1", "metadata": {"name": "new", "namespace": "a"}}
    (finding,) = findings(crd, old, new, minor=33)
    assert finding.object is not None
    assert finding.object.name == "old"
    assert finding.message.endswith("deprecated: use v1")
