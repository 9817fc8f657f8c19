"""Names and labels by the rules of their kinds."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.manifests import object_names

RBAC = "rbac.authorization.k8s.io"


@pytest.mark.parametrize(
    ("group", "kind", "name"),
    [
        ("", "Service", "web"),
        ("", "ConfigMap", "kube-root-ca.crt"),
        ("", "ConfigMap", "0.1"),
        ("", "Secret", "a" * 253),
        ("batch", "CronJob", "a" * 52),
        (RBAC, "ClusterRole", "system:controller:Route-A"),
        (RBAC, "RoleBinding", "a b"),
        ("apiregistration.k8s.io", "APIService", "v1."),
        ("apiextensions.k8s.io", "CustomResourceDefinition", "widgets.example.com"),
        ("example.com", "Service", "0.a"),
    ],
)
def test_names_that_the_api_server_takes(group: str, kind: str, name: str) -> None:
    assert object_names.name_problem(group, kind, name) == ""


@pytest.mark.parametrize(
    ("group", "kind", "name"),
    [
        ("", "Service", "a" * 75),
        ("", "Service", "0web"),
        ("", "Service", "a.b"),
        ("", "Namespace", "a.b"),
        ("", "ConfigMap", "Web"),
        ("", "ConfigMap", "web\n"),
        ("", "ConfigMap", "${name}"),
        ("", "ConfigMap", "a" * 254),
        ("", "ConfigMap", "a..b"),
        ("", "ConfigMap", "-a"),
        ("", "ConfigMap", "a_b"),
        ("batch", "CronJob", "a" * 53),
        (RBAC, "Role", "a/b"),
        (RBAC, "Role", ".."),
        (RBAC, "Role", "${name}"),
        (RBAC, "Role", "a\n"),
        ("example.com", "Widget", "a b"),
        ("", "ConfigMap", "wéb"),
    ],
)
def test_names_that_it_refuses(group: str, kind: str, name: str) -> None:
    assert kind in object_names.name_problem(group, kind, name)


@pytest.mark.parametrize("namespace", ["a.b", "Web", "a" * 64, "{{ns}}", " "])
def test_namespaces_that_it_refuses(namespace: str) -> None:
    assert "namespace" in object_names.namespace_problem(namespace)


@pytest.mark.parametrize(
    ("kind", "prefix", "fits"), [("Job", "migrate-", True), ("Job", "Migrate-", False), ("Job", "a" * 70, True)]
)
def test_a_prefix_of_names_may_end_in_a_hyphen(kind: str, prefix: str, *, fits: bool) -> None:
    assert object_names.is_name_prefix("batch", kind, prefix) is fits


def labeled(labels: Any = None, annotations: Any = None) -> dict[str, Any]:
    return {"metadata": {"name": "a", "labels": labels, "annotations": annotations}}


@pytest.mark.parametrize(
    "body",
    [
        labeled(),
        labeled(
            {"app.kubernetes.io/name": "Web_1.0", "a": "", "b": None}, {"x/y": "any text\n{}", "Example.COM/a": ""}
        ),
        {**labeled(), "spec": {"template": {"metadata": {"labels": {"free": 1}}}}},
        {"metadata": {}, "spec": None},
    ],
)
def test_labels_that_the_api_server_takes(body: dict[str, Any]) -> None:
    """The template of a custom resource may be anything: it is not a pod's if it has no ``spec``."""
    assert list(object_names.label_problems(body)) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (labeled({"a": "x" * 64}), "'xxx"),
        (labeled({"a": "b c"}), "'b c' cannot be the value of the label a in metadata"),
        (labeled({"a": "v1+2"}), "'v1+2'"),
        (labeled({"a": "b\n"}), "'b\\n'"),
        (labeled({"a": 1}), "metadata.labels.a is 1, not text: quote it"),
        (labeled({"a": True}), "metadata.labels.a is true, not text"),
        (labeled({"a/b/c": "d"}), "'a/b/c' in metadata.labels is not a key"),
        (labeled({"": "d"}), "'' in metadata.labels is not a key"),
        (labeled(None, {"a": 8080}), "metadata.annotations.a is 8080"),
        (labeled(None, {"a b": "c"}), "'a b' in metadata.annotations is not a key"),
        (labeled(["a"]), "metadata.labels is not a mapping"),
        (
            {**labeled(), "spec": {"template": {"metadata": {"labels": {"v": 1.5}}, "spec": {}}}},
            "spec.template.metadata.labels.v is 1.5",
        ),
        (
            {
                **labeled(),
                "spec": {"jobTemplate": {"spec": {"template": {"metadata": {"labels": {"v": "${v}"}}, "spec": {}}}}},
            },
            "label v in spec.jobTemplate.spec.template.metadata",
        ),
    ],
)
def test_labels_that_it_refuses(body: dict[str, Any], problem: str) -> None:
    (found,) = object_names.label_problems(body)
    assert problem in found
