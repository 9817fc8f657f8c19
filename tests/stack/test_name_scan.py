"""The names of a description: the same as the checked reading finds, and never an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.stack import name_scan
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.parse import parse_description

BASE = """\
apiVersion: cluster-forge/v1
kind: Stack
define:
- {name: far, namespace: far, manifests: [a.yaml]}
- {name: spare, namespace: spare, manifests: [a.yaml]}
components: [far]
collections: {group: [far, near]}
"""
STACK = """\
apiVersion: cluster-forge/v1
kind: Stack
name: stack
extends: [base.yaml]
components:
- {name: near, namespace: near, needs: [far], manifests: [a.yaml]}
- group
environments:
  small: {components: [far]}
"""
FILES = {"input/config.yaml": STACK.encode(), "input/base.yaml": BASE.encode()}
LIST = b"- {name: a, namespace: a, manifestpath: a.yaml}\n- {name: b, collection: [a]}\n- {name: c}\n"


def test_extends_environments_and_collections() -> None:
    found = name_scan.read(FILES.get)
    assert found.components == ("near", "far", "spare")
    assert found.resolved.stack == tuple(
        str(part.name) for part in parse_description(InputFiles(FILES.get)).stack.components
    )
    assert found.resolved.collections == {"group": ("far", "near")}
    assert found.environments == ("small",)
    assert name_scan.read(FILES.get, "small").resolved.stack == ("far",)
    assert found.needs("near") == ("far",)
    assert found.with_needs(["near"]) == ("near", "far")
    assert found.with_needs(["group"]) == ("near", "far")


def test_a_list_of_the_first_format() -> None:
    found = name_scan.read({"input/config.yaml": LIST}.get)
    assert found.resolved.stack == ("a", "c")
    assert found.resolved.collections == {"b": ("a",)}


def test_a_file_that_extends_itself_and_circles_end() -> None:
    text = b"extends: [config.yaml]\ncomponents: [x]\ncollections: {x: [y], y: [x]}\n"
    assert name_scan.read({"input/config.yaml": text}.get).resolved.stack == ()
    circle = b"components:\n- {name: a, needs: [b]}\n- {name: b, needs: [a]}\n"
    assert name_scan.read({"input/config.yaml": circle}.get).with_needs(["a"]) == ("a", "b")


@pytest.mark.parametrize(
    "text", [b"", b"\xff", b"a: [", b"1", b"- 1\n- {}\n- [x]", b"components: {a: b}", b"a: 1\n---\nb: 2\n"]
)
def test_what_is_broken_has_no_names(text: bytes) -> None:
    assert name_scan.read({"input/config.yaml": text}.get).components == ()


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["a", "b"])
KEYS = st.sampled_from(["components", "define", "collections", "environments", "extends", "name", "needs", "helm", "a"])
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5))


@given(TREES)
def test_no_shape_is_an_error(tree: object) -> None:
    found = name_scan.read({"input/config.yaml": json.dumps(tree).encode()}.get, "a")
    assert set(found.with_needs(found.components)) == set(found.components)


@given(st.binary(max_size=200))
def test_no_bytes_are_an_error(content: bytes) -> None:
    name_scan.read({"input/config.yaml": content}.get)


@pytest.mark.corpus
@pytest.mark.parametrize("stack", ["everything", "prd"])
def test_the_real_descriptions(corpus: Path, stack: str) -> None:
    def read(path: str) -> bytes | None:
        file = corpus / "stacks" / stack / path
        return file.read_bytes() if file.is_file() else None

    assert name_scan.read(read).resolved.stack == tuple(
        str(part.name) for part in parse_description(InputFiles(read)).stack.components
    )
