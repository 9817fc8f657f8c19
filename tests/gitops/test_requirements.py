from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import planning, requirements
from cluster_forge.manifests.part import Part
from cluster_forge.stack.component import Component, ExpectedSecret
from cluster_forge.stack.model import GitOps, GitOpsEngine, Stack

Make = Callable[..., Any]
DIRECT = Stack(name="demo", gitops=GitOps(engine=GitOpsEngine.NONE))


def test_apis_are_those_that_the_stack_does_not_define(parts: tuple[Part, ...]) -> None:
    apis = requirements.apis(parts)
    assert "example.com/v1/Widget" not in apis
    assert {"apps/v1/Deployment", "v1/ConfigMap", "monitoring.coreos.com/v1/ServiceMonitor"} <= set(apis)


def test_a_version_that_the_crd_does_not_serve_is_required(
    parts: tuple[Part, ...], make_part: Make, make_body: Make
) -> None:
    other = make_part("other", [make_body("example.com/v1beta1", "Widget", "w", "shop")])
    assert "example.com/v1beta1/Widget" in requirements.apis((*parts, other))


def test_an_api_service_defines_its_group_and_version(make_part: Make, make_body: Make) -> None:
    service = make_body("apiregistration.k8s.io/v1", "APIService", "v1.metrics.example.com", spec={})
    metric = make_body("metrics.example.com/v1", "Metric", "m", "shop")
    assert requirements.apis([make_part("a", [service, metric])]) == ("apiregistration.k8s.io/v1/APIService",)


def secret(name: str, **keys: str) -> ExpectedSecret:
    return ExpectedSecret(name=name, namespace="shop", keys=keys)


def test_secrets_are_those_that_no_object_makes(make_part: Make, make_body: Make) -> None:
    expected = tuple(secret(name, a="x") for name in ("by-hand", "plain", "stored", "renamed"))
    external = {"target": {"name": "renamed"}}
    part = make_part(
        "shop",
        [
            make_body("v1", "Secret", "plain", "shop"),
            make_body("external-secrets.io/v1", "ExternalSecret", "stored", "shop"),
            make_body("external-secrets.io/v1", "ExternalSecret", "other", "shop", spec=external),
        ],
    )
    stack = Stack(name="demo", components=(Component(name=ComponentName("shop"), secrets=expected),))
    assert [found.name for found in requirements.secrets(stack, [part])] == ["by-hand"]


def test_a_shared_secret_needs_the_keys_of_all_components(make_part: Make) -> None:
    components = (
        Component(name=ComponentName("a"), secrets=(secret("login", user="x"),)),
        Component(name=ComponentName("b"), secrets=(secret("login", password="x"),)),
        Component(name=ComponentName("not-delivered"), secrets=(secret("login", other="x"),)),
    )
    (found,) = requirements.secrets(Stack(name="demo", components=components), [make_part("a", []), make_part("b", [])])
    assert requirements.keys(found) == ("user", "password")


def test_a_key_that_no_secret_can_have_is_left_out() -> None:
    assert requirements.keys(ExpectedSecret(name="a", namespace="a", keys={"a b": "", "c\nEND": "", "d.e": ""})) == (
        "d.e",
    )


def test_objects_without_a_name_are_refused_where_kubectl_applies_them(make_part: Make, make_body: Make) -> None:
    job = make_body("batch/v1", "Job", "", "shop", spec={})
    job["metadata"] = {"generateName": "run-", "namespace": "shop"}
    with pytest.raises(ManifestError) as caught:
        planning.of(DIRECT, [make_part("a", [job])], FileTree({"HEAD": b"x"}), "c" * 40, "v-1")
    assert "generateName" in caught.value.message
    assert (caught.value.where or "").startswith("working/a/job.batch_shop_run-")
    existing = Stack(name="demo", gitops=GitOps(install=False))
    assert planning.of(existing, [make_part("a", [job])], FileTree({"HEAD": b"x"}), "c" * 40, "v-1").argocd
