"""The versions of CRDs, read without their schemas: the same ones that a parser finds."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.gitops.conftest import crd

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import crd_versions
from cluster_forge.manifests.manifest import Document, Manifest, Provenance
from cluster_forge.manifests.part import PartObject

NAME = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
TEXT = st.text(alphabet="a: -\n#|'\"{}versionsname", max_size=40)
SCHEMA = st.recursive(
    TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
COLUMNS = st.lists(st.fixed_dictionaries({"name": TEXT, "jsonPath": TEXT}), max_size=2)
VERSION = st.fixed_dictionaries(
    {"name": NAME | st.sampled_from(["1", "true", "v1 ", ""])},
    optional={"schema": SCHEMA, "additionalPrinterColumns": COLUMNS, "served": st.booleans(), "abc": TEXT},
)


def emitted(body: dict[str, Any]) -> PartObject:
    provenance = Provenance(component=ComponentName("a"), origin="test")
    return PartObject.of(Manifest.of(body, provenance), "a/crd.yaml")


def edited(text: str) -> PartObject:
    """As a file that somebody has edited by hand."""
    document = Document(read=lambda: yaml.safe_load(text), text=text.encode())
    return PartObject(
        path="a/crd.yaml", id=emitted(crd("a.b.c")).id, digest=Digest.of(text.encode()), document=document
    )


@given(st.lists(VERSION, max_size=4), st.dictionaries(TEXT, SCHEMA, max_size=3))
def test_they_are_those_of_the_tree(versions: list[dict[str, Any]], spec: dict[str, Any]) -> None:
    body = crd("widgets.example.com", **{**spec, "versions": versions})
    assert list(crd_versions.names(emitted(body))) == [version["name"] for version in versions if version["name"]]


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("spec: {versions: [{name: v1}, {name: v2beta1}]}\n", ["v1", "v2beta1"]),
        ("spec:\n  versions:\n    - name: v1\n      served: true\n    - {name: v2}\n", ["v1", "v2"]),
        ("spec:\n  versions:\n  - {name: v1}\n  - served: true\n    name: 'v2'\n", ["v1", "v2"]),
        ("spec:\n  versions: &all\n  - name: v1\n", ["v1"]),
        ("spec:\n  versions: v1\n", []),
        ("spec: [versions]\n", []),
        ("spec:\n  versions:\n  - v1\n", []),
    ],
)
def test_a_file_that_was_edited_is_parsed(text: str, versions: list[str]) -> None:
    assert list(crd_versions.names(edited(text))) == versions


def test_each_crd_has_a_line_sorted_by_name() -> None:
    objects = [emitted(crd(name, versions=[{"name": "v1"}, {"name": "v2"}])) for name in ("b.x.org", "a.x.org")]
    assert crd_versions.listed(objects) == "a.x.org v1 v2\nb.x.org v1 v2\n"
