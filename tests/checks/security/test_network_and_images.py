"""NetworkPolicies that select Pods, and images that are pinned."""

from __future__ import annotations

from typing import Any

import pytest
from tests.checks.security.security_objects import manifest, stack, workload

from cluster_forge.checks.security import network_policies, unpinned_image
from cluster_forge.manifests.manifest import Manifest

WEB = workload(metadata={"labels": {"app": "web"}})


def policy(selector: Any, namespace: str = "web", **spec: Any) -> Manifest:
    return manifest(
        "networking.k8s.io/v1", "NetworkPolicy", namespace=namespace, spec={"podSelector": selector, **spec}
    )


@pytest.mark.parametrize(
    ("policies", "is_open"),
    [
        ([], True),
        ([policy({})], False),
        ([policy({"matchLabels": {"app": "web"}})], False),
        ([policy({"matchLabels": {"app": "other"}})], True),
        ([policy({}, namespace="other")], True),
        ([policy({}, policyTypes=["Egress"])], True),
        ([policy({}, policyTypes=["Ingress"])], False),
        ([manifest("cilium.io/v2", "CiliumNetworkPolicy")], False),
        ([manifest("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", namespace="")], False),
    ],
)
def test_pods_that_no_policy_selects_are_reported(policies: list[Manifest], is_open: bool) -> None:
    assert network_policies.unselected(stack(WEB, *policies)) == ([WEB] if is_open else [])


def test_pods_on_the_network_of_the_node_cannot_be_selected() -> None:
    assert network_policies.unselected(stack(workload({"hostNetwork": True}))) == []


@pytest.mark.parametrize(
    ("image", "is_reported"),
    [
        ("web", True),
        ("web:latest", True),
        ("example.com:5000/web", True),
        ("web:1", False),
        (f"web@sha256:{'0' * 64}", False),
        ("example.com:5000/web:1.0", False),
        (None, False),
        (3, False),
    ],
)
def test_images_without_a_tag_are_reported(image: object, is_reported: bool) -> None:
    findings = list(unpinned_image.findings(stack(workload(container={"image": image}))))
    assert [finding.field for finding in findings] == (
        ['spec.template.spec.containers[name="web"].image'] if is_reported else []
    )
