"""What the settings of an Argo CD leave out, by Argo CD's own rules."""

from __future__ import annotations

import pytest
import yaml

from cluster_forge.foundation.errors import ManifestError
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
        ({EXCLUSIONS: "- apiGroups: ['{discovery,policy}.k8s.io']\n"}, SLICE, EXCLUSIONS),
        ({EXCLUSIONS: "- clusters: ['https://{kubernetes,other}.*']\n  kinds: [Secret]\n"}, SECRET, EXCLUSIONS),
        ({EXCLUSIONS: "- null\n"}, SECRET, EXCLUSIONS),  # no list in it: everything
        ({EXCLUSIONS: "- apiGroups: [null]\n"}, SECRET, EXCLUSIONS),
        ({EXCLUSIONS: "- kinds: [1]\n"}, SECRET, None),
        ({EXCLUSIONS: "[]"}, SECRET, None),
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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b", "resource.exclusions is not a list"),
        ("word", "resource.exclusions is not a list"),
        ("- kinds: []\n- 1", "resource.exclusions[1] is not a mapping"),
        ("- kinds: Secret", "resource.exclusions[0].kinds is not a list"),
        ("- kinds: [[Secret]]", "resource.exclusions[0].kinds has something that is not a text"),
        ("- clusters: {a: b}", "resource.exclusions[0].clusters is not a list"),
    ],
)
def test_rules_of_another_shape_are_refused(text: str, said: str) -> None:
    """The API server takes any text; Argo CD itself refuses it."""
    with pytest.raises(ManifestError) as refused:
        ResourceFilter.of({EXCLUSIONS: text}, yaml.safe_load)
    assert refused.value.message == said
