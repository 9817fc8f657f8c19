"""A patch as a file: read again as the description reads it, it makes of the object what the edit made of it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.examples_tried import tried
from tests.patches.trees import DEPLOYMENT, deployments, edited

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import comments
from cluster_forge.manifests.comments import Comments
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.patches import patch_file, patch_target, patching
from cluster_forge.patches.sameness import same
from cluster_forge.patches.smallest import smallest
from cluster_forge.stack import patch_reader
from cluster_forge.stack.changes import DeclaredPatch
from cluster_forge.yaml import positioned_reader

NONE = Comments({}, {})


def read(text: str) -> DeclaredPatch:
    errors: list[ForgeError] = []
    patch = patch_reader.of_document(positioned_reader.read(text.encode(), "patch.yaml").root, "web", errors)
    assert errors == []
    assert patch is not None
    return patch


def is_meant(patch: DeclaredPatch, body: Any) -> bool:
    manifest = Manifest.of(body, Provenance(component=ComponentName("web"), origin="web"))
    return patch_target.of(patch).matches(manifest)


@tried(300)
@given(deployments(), st.integers(), st.integers(1, 4), st.booleans())
def test_it_makes_what_the_edit_made(before: Any, seed: int, edits: int, has_schema: bool) -> None:
    schema = DEPLOYMENT if has_schema else None
    after = {**edited(before, random.Random(seed), edits), "apiVersion": "apps/v1", "kind": "Deployment"}
    after = {**after, "metadata": {**(after.get("metadata") or {}), "name": "web"}} if "metadata" in after else before
    if same(before, after):
        return
    remarks = Comments(
        {("spec",): ("# why",), ("spec", "replicas"): ("# how many",)}, {("metadata", "name"): "# its name"}
    )
    for known in (NONE, remarks):
        text = patch_file.text(smallest(before, after, schema), before, known)
        patch = read(text)
        assert is_meant(patch, before)
        assert same(patching.applied(before, patch, schema), after)
        assert all(line in text for line in known.lines)


BODY = {"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": "a.b", "namespace": "n"}, "spec": {"x": 1}}


def test_a_json_patch_means_this_object_alone() -> None:
    patch = read(patch_file.text(smallest(BODY, {**BODY, "spec": {"x": 2}}, None), BODY, NONE))
    assert is_meant(patch, BODY)
    assert not is_meant(patch, {**BODY, "metadata": {"name": "axb", "namespace": "n"}})
    assert not is_meant(patch, {**BODY, "apiVersion": "exampleXcom/v1"})


def test_a_deletion_means_this_object_alone() -> None:
    patch = read(patch_file.deletion(BODY))
    assert is_meant(patch, BODY)
    assert not is_meant(patch, {**BODY, "metadata": {"name": "a.b", "namespace": "m"}})
    assert patch.body["$patch"] == "delete"


@pytest.mark.parametrize("schema", [None, DEPLOYMENT])
def test_the_object_of_a_file_is_known(schema: Any) -> None:
    text = patch_file.text(smallest(BODY, {**BODY, "spec": {"x": 2}}, schema), BODY, comments.of("# head\na: b\n"))
    assert "# head" in text
    assert str(patch_file.object_of(positioned_reader.read(text.encode(), "").value)) == "Shop.example.com/n/a.b"


@pytest.mark.parametrize(
    "document", [None, [], "text", {}, {"kind": "Shop"}, {"target": {"kind": "Shop"}}, {"metadata": 1}]
)
def test_what_names_no_object(document: Any) -> None:
    assert patch_file.object_of(document) is None
