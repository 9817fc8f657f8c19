"""Malformed CRDs define nothing, without a traceback."""

from __future__ import annotations

import pytest

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.scope import custom_kinds


@pytest.mark.parametrize(
    ("versions", "served"),
    [
        ([{"served": True}], ()),
        ([{}, {"name": "v2"}], ("v2",)),
        ("v1", ()),
        ([5, None, {"name": "v1", "served": False}], ()),
    ],
)
def test_versions_without_a_name_are_ignored(versions: object, served: tuple[str, ...]) -> None:
    spec = {"group": "example.com", "names": {"kind": "A"}, "scope": "Namespaced", "versions": versions}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "a"},
        "spec": spec,
    }
    (kind,) = custom_kinds([Manifest.of(body, Provenance(component=ComponentName("shop"), origin="crd.yaml"))])
    assert kind.versions == served
