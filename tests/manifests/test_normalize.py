"""Documents become objects with their namespaces."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import normalize
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.scope import Scopes

FROM = Provenance(component=ComponentName("shop"), origin="templates/x.yaml:3")


def body(kind: str, name: str = "x", api: str = "v1", **more: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **more}


def crd(kind: str, scope: str, group: str = "acme.io", **spec: Any) -> Manifest:
    versions = [{"name": "v1", "served": True}, {"name": "v1alpha1", "served": False}]
    content = {"group": group, "names": {"kind": kind}, "scope": scope, "versions": versions, **spec}
    return Manifest.of(
        body("CustomResourceDefinition", f"{kind}s.{group}".lower(), "apiextensions.k8s.io/v1", spec=content), FROM
    )


def manifest(content: dict[str, Any]) -> Manifest:
    return Manifest.of(content, FROM)


SCOPES = Scopes.of(33, [crd("Widget", "Namespaced"), crd("Globe", "Cluster")])


def test_lists_are_expanded_and_typed_items_completed() -> None:
    inner = {"metadata": {"name": "a"}, "rules": []}
    typed = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleList", "items": [inner]}
    document = {"apiVersion": "v1", "kind": "List", "items": [body("ConfigMap"), typed]}
    items = list(normalize.objects(document, FROM))
    assert [str(item.id) for item in items] == ["ConfigMap/x", "Role.rbac.authorization.k8s.io/a"]
    assert items[1].body["rules"] == []


def test_a_kind_whose_name_ends_in_list_is_an_object() -> None:
    assert [item.id.kind for item in normalize.objects(body("AllowList", spec={"items": []}), FROM)] == ["AllowList"]


@pytest.mark.parametrize("empty", [None, {}])
def test_an_empty_document_has_no_objects(empty: Any) -> None:
    assert not list(normalize.objects(empty, FROM))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (["a"], "a list, not a mapping"),
        ("text", "it is text, as in a NOTES.txt"),
        ({"replicas": 1}, "it has no apiVersion and kind"),
        ({"kind": "X", "metadata": {"name": "a"}}, "it has no apiVersion"),
        ({"apiVersion": "v1", "kind": "", "metadata": {}}, "it has no apiVersion or kind"),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, "has no metadata.name"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": 123}}, "is a number, not text: quote it"),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": False}},
            r"metadata.name of ConfigMap \(v1\) is true or false, not text: quote it \(YAML reads y, n,",
        ),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": 0}}, "is a number, not text: quote it"),
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": True}},
            "is true or false, not text: quote it",
        ),
    ],
)
def test_other_documents_are_an_error_with_their_place(document: Any, message: str) -> None:
    with pytest.raises(ManifestError, match=message) as caught:
        list(normalize.objects(document, FROM))
    assert caught.value.where == "templates/x.yaml:3"
    assert caught.value.fix


def test_a_missing_namespace_is_filled_in() -> None:
    filled = normalize.placed(manifest(body("ConfigMap")), "shop", SCOPES)
    assert filled.body["metadata"] == {"name": "x", "namespace": "shop"}
    assert filled.id.namespace == "shop"
    widget = normalize.placed(manifest(body("Widget", api="acme.io/v1")), "shop", SCOPES)
    assert widget.id.namespace == "shop"


def test_a_namespace_is_never_overwritten() -> None:
    aimed = body("RoleBinding", api="rbac.authorization.k8s.io/v1")
    aimed["metadata"]["namespace"] = "kube-system"
    assert normalize.placed(manifest(aimed), "shop", SCOPES).body is aimed


@pytest.mark.parametrize(
    "content", [body("ClusterRole", api="rbac.authorization.k8s.io/v1"), body("Globe", api="acme.io/v1")]
)
def test_cluster_scoped_objects_get_no_namespace(content: dict[str, Any]) -> None:
    assert normalize.placed(manifest(content), "shop", SCOPES).body is content


def test_an_object_of_an_undefined_kind_is_unchanged() -> None:
    content = body("Mystery", api="unknown.io/v1")
    assert normalize.placed(manifest(content), "shop", SCOPES).body is content


def test_the_namespace_of_a_cluster_scoped_object_is_dropped_as_the_api_server_does() -> None:
    content = body("ClusterRole", api="rbac.authorization.k8s.io/v1")
    written = {**content, "metadata": {**content["metadata"], "namespace": "shop"}}
    placed = normalize.placed(manifest(written), "other", SCOPES)
    assert (placed.id.namespace, placed.body) == ("", content)


def test_service_accounts_among_subjects_get_the_namespace() -> None:
    subjects = [
        {"kind": "ServiceAccount", "name": "a"},
        {"kind": "ServiceAccount", "name": "b", "namespace": "elsewhere"},
        {"kind": "Group", "name": "c"},
    ]
    binding = body("ClusterRoleBinding", api="rbac.authorization.k8s.io/v1", subjects=subjects)
    placed = normalize.placed(manifest(binding), "shop", SCOPES)
    assert placed.body["subjects"] == [{**subjects[0], "namespace": "shop"}, subjects[1], subjects[2]]
    assert subjects[0] == {"kind": "ServiceAccount", "name": "a"}


def test_service_accounts_of_a_role_binding_are_of_its_own_namespace() -> None:
    subjects = [{"kind": "ServiceAccount", "name": "a"}]
    binding = body("RoleBinding", api="rbac.authorization.k8s.io/v1", subjects=subjects)
    assert normalize.placed(manifest(binding), "shop", SCOPES).body["subjects"] == subjects
    aimed = {**binding, "metadata": {"name": "x", "namespace": "kube-system"}}
    assert normalize.placed(manifest(aimed), "shop", SCOPES).body is aimed


@pytest.mark.parametrize("subjects", [None, "a", [None, "a"], [{"kind": "User", "name": "a"}]])
def test_other_subjects_are_unchanged(subjects: Any) -> None:
    binding = body("ClusterRoleBinding", api="rbac.authorization.k8s.io/v1", subjects=subjects)
    assert normalize.placed(manifest(binding), "shop", SCOPES).body is binding


def test_an_empty_namespace_fills_in_nothing() -> None:
    binding = body(
        "ClusterRoleBinding", api="rbac.authorization.k8s.io/v1", subjects=[{"kind": "ServiceAccount", "name": "a"}]
    )
    assert normalize.placed(manifest(binding), "", SCOPES).body is binding


def test_custom_kinds_have_the_api_versions_that_they_serve() -> None:
    kind = SCOPES.custom["acme.io", "Widget"]
    assert kind.api_versions == ("acme.io/v1", "acme.io/v1/Widget")


def test_an_old_crd_defines_a_kind_and_a_broken_one_nothing() -> None:
    old = crd("Old", "Namespaced", version="v1beta1", versions=None)
    broken = manifest(body("CustomResourceDefinition", "b", "apiextensions.k8s.io/v1", spec={"names": "none"}))
    scopes = Scopes.of(33, [old, broken])
    assert list(scopes.custom) == [("acme.io", "Old")]
    assert scopes.custom["acme.io", "Old"].versions == ("v1beta1",)
