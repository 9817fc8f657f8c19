"""`refersTo`: what a component says about the fields of its own custom resources, in the order and in the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Workspace

DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.org}
spec:
  group: example.org
  names: {kind: Shop, plural: shops}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
COMPONENTS = """\
components:
- name: shops
  namespace: shops
  manifests: [crd.yaml]
  refersTo:
  - {group: example.org, kind: Shop, fields: [{path: spec.catalog, to: ConfigMap}, {path: "spec.tills[].key", to: Secret}]}
- name: data
  namespace: shop
  manifests: [data.yaml]
- name: shop
  namespace: shop
  manifests: [shop.yaml]
"""
DATA = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: goods}\ndata: {a: b}\n"
SHOP = (
    "apiVersion: example.org/v1\nkind: Shop\nmetadata: {name: one}\n"
    "spec: {catalog: {name: goods}, tills: [{key: none-has-it}]}\n"
)


@pytest.fixture
def shops(workspace: Workspace) -> Workspace:
    workspace.replace("input/config.yaml", "components:\n", COMPONENTS)
    return workspace.write({"input/crd.yaml": DEFINITION, "input/data.yaml": DATA, "input/shop.yaml": SHOP})


def test_what_is_named_comes_first(shops: Workspace) -> None:
    described = shops.ok("explain", "order", "shop").out
    assert "ConfigMap/shop/goods" in described
    assert "after data" in described


def test_what_is_named_and_not_there_is_found(shops: Workspace) -> None:
    document = shops.run("check", "--format", "json").json
    [finding] = [one for one in document["findings"] if one["code"] == "missing-reference"]
    assert (finding["component"], finding["message"]) == ("shop", "no such Secret: none-has-it")
    assert finding["field"].startswith("spec.tills[0].key")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("path: spec.catalog", "path: spec/catalog.", "'spec/catalog.' is not the path of a field"),
        ('"spec.tills[].key"', '"spec.tills[0].key"', "'spec.tills[0].key' is not the path of a field"),
        ("to: ConfigMap", "to: configmaps", "'configmaps' is not a kind"),
        ("fields: [{path: spec.catalog, to: ConfigMap}", "field: [{path: spec.catalog, to: ConfigMap}", "fields"),
    ],
)
def test_another_text_than_a_path_or_kind_is_an_error_with_its_place(
    shops: Workspace, before: str, after: str, expected: str
) -> None:
    shops.replace("input/config.yaml", before, after)
    result = shops.run("config", "validate")
    assert result.code != 0
    assert expected in result.err
    assert "input/config.yaml:" in result.err
