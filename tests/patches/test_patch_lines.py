"""The line of a patch that changes a field."""

from __future__ import annotations

import pytest

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.patches import patch_lines
from cluster_forge.stack import patch_reader
from cluster_forge.stack.changes import DeclaredPatch
from cluster_forge.yaml import positioned_reader

PARTIAL = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    example.com/team: a
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: proxy
        image: proxy:1
      - name: web
        image: web:2
        ports:
        - containerPort: 80
          name: http
        args:
        - --one
        - --two
      tolerations: null
"""
OPERATIONS = """\
target: {kind: Deployment}
operations:
- op: test
  path: /spec/template/spec/containers/0/name
  value: web
- op: add
  path: /spec/template/spec/containers/0/args/-
  value: --verbose
- op: replace
  path: /spec/template/spec/containers/1/image
  value: proxy:2
- op: test
  path: /spec/template/spec/containers/1/name
  value: proxy
- op: add
  path: /metadata/annotations
  value: {a~b/c: d}
- op: replace
  path: /spec/list/0
  value: a
- op: replace
  path: /spec/list/1
  value: b
"""
CONTAINERS = "spec.template.spec.containers"


def read(text: str) -> DeclaredPatch:
    errors: list[ForgeError] = []
    patch = patch_reader.of_document(positioned_reader.read(text.encode(), "input/p.yaml").root, "web", errors)
    assert patch, errors
    return patch


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("spec.replicas", 8),
        ('metadata.labels["example.com/team"]', 6),
        (f'{CONTAINERS}[name="proxy"].image', 13),
        (f'{CONTAINERS}[name="web"].image', 15),
        (f'{CONTAINERS}[name="web"].ports[containerPort=80,protocol="TCP"].name', 18),
        (f'{CONTAINERS}[name="web"].args[1]', 21),
        (f'{CONTAINERS}[name="web"].args[7]', 19),
        (f'{CONTAINERS}[name="other"].image', 11),
        ("spec.template.spec.tolerations", 22),
        ("status", 1),
    ],
)
def test_of_a_partial_object(path: str, line: int) -> None:
    assert patch_lines.where(read(PARTIAL), path) == f"input/p.yaml:{line}"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (f'{CONTAINERS}[name="web"].args[3]', 6),
        (f'{CONTAINERS}[name="web"].args', 6),
        (f'{CONTAINERS}[name="proxy"].image', 9),
        (f'{CONTAINERS}[name="web"].image', 1),
        ('metadata.annotations["a~b/c"]', 15),
        ("spec.list[1]", 21),
        ("spec.list", 1),
        ("status", 1),
    ],
)
def test_of_a_json_patch(path: str, line: int) -> None:
    assert patch_lines.where(read(OPERATIONS), path) == f"input/p.yaml:{line}"


@pytest.mark.parametrize("path", ["", "[", '["', "a[b=", 'a["b"]c', "[name=]"])
def test_any_path_has_a_place(path: str) -> None:
    for text in (PARTIAL, OPERATIONS):
        assert patch_lines.where(read(text), path).startswith("input/p.yaml:")
