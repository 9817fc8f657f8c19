"""The description with the packaged catalog, and the catalog of a workspace."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import DescriptionError, OrderError
from cluster_forge.stack.selection import Selection
from cluster_forge.stages.describe.read_description import findings, read_catalog, read_description

HEAD = "apiVersion: cluster-forge/v1\nkind: Stack\n"
COLLECTIONS = "mine:\n  title: Mine\n  description: Some.\n  members: [cert-manager]\n"


class Files:
    """`InputSource` in memory."""

    def __init__(self, **files: str) -> None:
        self.files = {f"input/{path}": text for path, text in files.items()}

    def read(self, path: str) -> bytes | None:
        text = self.files.get(path)
        return None if text is None else text.encode()

    def list_files(self, path: str) -> Sequence[str] | None:
        return sorted(file for file in self.files if file.startswith(f"{path}/")) or None


def described(text: str, **files: str) -> Files:
    return Files(**{"config.yaml": HEAD + text, **files})


def test_errors_of_every_kind_are_reported_together() -> None:
    text = """name: shop
vars: {domain: a.example}
components:
- name: web
  manifests: [none.yaml]
  labels: {a b: c}
  patches: [{path: gone.yaml}]
- name: db
  needs: [nothing]
  objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: "${domaim}"}}]
  patches:
  - {patch: [{op: remov, path: /a}], target: {kind: Deployment}}
  - {patch: {spec: {}}}
"""
    with pytest.raises(ExceptionGroup) as caught:
        read_description(described(text), Selection())
    messages = [str(error) for error in leaves(caught.value)]
    for expected in (
        "web: input/none.yaml does not exist",
        "'a b' is not a key of labels",
        "file input/gone.yaml does not exist",
        "db needs the unknown component 'nothing'",
        "unknown variable 'domaim'",
        "unknown op `remov`",
        "the patch has no target",
    ):
        assert sum(expected in message for message in messages) == 1, messages
    assert len(messages) == 7, messages


def test_a_description_is_read_with_the_packaged_catalog() -> None:
    parsed = read_description(described("name: shop\ncomponents: [cert-manager]\n"), Selection())
    assert "cert-manager" in [component.name for component in parsed.stack.components]
    assert set(parsed.files) == {"input/config.yaml"}


def test_notices_and_left_out_components_are_findings() -> None:
    text = "name: shop\ncomponents: [cert-manager, {name: a, namespace: a, manifests: [https://example.com/a.yaml]}]\n"
    parsed = read_description(described(text), Selection(names=("a",)))
    assert "left-out" in [finding.code for finding in findings(parsed)]


def test_errors_across_files_are_raised() -> None:
    component = "{{name: {}, namespace: x, needs: [{}], manifests: [https://example.com/a.yaml]}}"
    components = f"{component.format('a', 'b')}, {component.format('b', 'a')}"
    with pytest.raises(OrderError):
        read_description(described(f"name: shop\ncomponents: [{components}]\n"), Selection())


def test_the_catalog_has_those_that_the_description_and_the_files_that_it_extends_name() -> None:
    own = {"catalog/collections.yaml": COLLECTIONS}
    assert "mine" in read_catalog(described("catalogs: [catalog]\n", **own)).collections
    base = {"base.yaml": HEAD + "catalogs: [catalog]\n"}
    assert "mine" in read_catalog(described("extends: [base.yaml]\n", **own, **base)).collections
    assert "mine" not in read_catalog(described("", **own)).collections


def test_a_missing_catalog_is_an_error_unless_it_may_be_empty() -> None:
    source = described("catalogs: [catalog]\n")
    with pytest.raises(DescriptionError, match="catalog"):
        read_catalog(source)
    assert read_catalog(source, may_be_empty=True).names
