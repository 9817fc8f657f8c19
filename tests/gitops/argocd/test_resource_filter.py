"""What the settings of an Argo CD leave out, by Argo CD's own rules."""

from __future__ import annotations

import pytest
import yaml

from cluster_forge.gitops.argocd.applications import CLUSTER
from cluster_forge.gitops.argocd.project import Kind
from cluster_forge.gitops.argocd.resource_filter import EXCLUSIONS, INCLUSIONS, ResourceFilter

ENDPOINTS, SLICE, SECRET, LEASE = (
    ("", "Endpoints"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("", "Secret"),
    ("coordination.k8s.io", "Lease"),
)
BY_DEFAULT = "- apiGroups: ['', discovery.k8s.io]\n  kinds: [Endpoints, EndpointSlice]\n"
ELSEWHERE = "- kinds: [Secret]\n  clusters: ['https://other.example.com*']\n"


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        ({}, ENDPOINTS, None),
        ({}, LEASE, ""),
        ({}, ("", "Event"), ""),
        ({}, ("events.k8s.io", "Event"), ""),
        ({EXCLUSIONS: BY_DEFAULT}, ENDPOINTS, EXCLUSIONS),
        ({EXCLUSIONS: BY_DEFAULT}, SLICE, EXCLUSIONS),
        ({EXCLUSIONS: BY_DEFAULT}, SECRET, None),
        ({EXCLUSIONS: "- apiGroups: ['*.k8s.io']\n"}, SLICE, EXCLUSIONS),
        ({EXCLUSIONS: "- apiGroups: ['*.k8s.io']\n"}, SECRET, None),
        ({EXCLUSIONS: "- kinds: ['*']\n  clusters: ['https://kubernetes*']\n"}, SECRET, EXCLUSIONS),
        ({EXCLUSIONS: "- kinds: [Endpoint*]\n"}, ENDPOINTS, None),  # kinds are no patterns
        ({EXCLUSIONS: ELSEWHERE}, SECRET, None),
        ({EXCLUSIONS: ""}, SECRET, None),
        ({INCLUSIONS: BY_DEFAULT}, ENDPOINTS, None),
        ({INCLUSIONS: BY_DEFAULT}, SECRET, INCLUSIONS),
        ({INCLUSIONS: ELSEWHERE}, ENDPOINTS, None),
        ({INCLUSIONS: BY_DEFAULT, EXCLUSIONS: BY_DEFAULT}, ENDPOINTS, EXCLUSIONS),
        ({INCLUSIONS: BY_DEFAULT, EXCLUSIONS: BY_DEFAULT}, SECRET, INCLUSIONS),
    ],
)
def test_a_kind_is_left_out_by(data: dict[str, str], kind: Kind, expected: str | None) -> None:
    assert ResourceFilter.of(data, yaml.safe_load).reason(kind, CLUSTER) == expected


@pytest.mark.parametrize("text", ["a: b", "- 1", "- kinds: Secret", "[]", "- kinds: [1, null]", "- clusters: {a: b}"])
def test_rules_of_another_shape_leave_nothing_out(text: str) -> None:
    """The API server takes any text; Argo CD itself refuses it."""
    assert ResourceFilter.of({EXCLUSIONS: text}, yaml.safe_load).reason(SECRET, CLUSTER) is None
