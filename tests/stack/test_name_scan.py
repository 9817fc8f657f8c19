"""The names of a description: the same as the strict reader finds, and never an error."""

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
  small: {components: [{name: near, remove: true}, {name: group, remove: true}]}
"""
FILES = {"input/config.yaml": STACK.encode(), "input/base.yaml": BASE.encode()}
LIST = b"- {name: a, namespace: a, manifestpath: a.yaml}\n- {name: b, collection: [a]}\n- {name: c}\n"


def test_names_include_extended_files_environments_and_collections() -> None:
    names = name_scan.read(FILES.get)
    assert names.components == ("far", "near", "spare")  # the base's come first
    assert names.resolved.stack == tuple(
        str(part.name) for part in parse_description(InputFiles(FILES.get)).stack.components
    )
    assert names.resolved.collections == {"group": ("far", "near")}
    assert names.environments == ("small",)
    assert name_scan.read(FILES.get, "small").resolved.stack == ("far",)
    assert names.needs("near") == ("far",)
    assert names.with_needs(["near"]) == ("far", "near")
    assert names.with_needs(["group"]) == ("far", "near")


def test_a_list_in_the_legacy_format_has_names() -> None:
    names = name_scan.read({"input/config.yaml": LIST}.get)
    assert names.resolved.stack == ("a", "c")
    assert names.resolved.collections == {"b": ("a",)}


def test_cycles_of_files_collections_and_needs_end() -> None:
    text = b"extends: [config.yaml]\ncomponents: [x]\ncollections: {x: [y], y: [x]}\n"
    assert name_scan.read({"input/config.yaml": text}.get).resolved.stack == ()
    cycle = b"components:\n- {name: a, needs: [b]}\n- {name: b, needs: [a]}\n"
    assert name_scan.read({"input/config.yaml": cycle}.get).with_needs(["a"]) == ("a", "b")


@pytest.mark.parametrize(
    "text", [b"", b"\xff", b"a: [", b"1", b"- 1\n- {}\n- [x]", b"components: {a: b}", b"a: 1\n---\nb: 2\n"]
)
def test_a_broken_description_has_no_names(text: bytes) -> None:
    assert name_scan.read({"input/config.yaml": text}.get).components == ()


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["a", "b"])
KEYS = st.sampled_from(["components", "define", "collections", "environments", "extends", "name", "needs", "helm", "a"])
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5))


@given(TREES)
def test_no_structure_is_an_error(tree: object) -> None:
    names = name_scan.read({"input/config.yaml": json.dumps(tree).encode()}.get, "a")
    assert set(names.with_needs(names.components)) == set(names.components)


@given(st.binary(max_size=200))
def test_no_bytes_are_an_error(content: bytes) -> None:
    name_scan.read({"input/config.yaml": content}.get)


def test_a_chain_of_files_that_doubles_is_read_fast() -> None:
    files = {
        f"input/{number}.yaml": f"extends: [{number + 1}.yaml, {number + 1}.yaml]\n".encode() for number in range(29)
    }
    files |= {"input/config.yaml": b"extends: [0.yaml]\ncomponents: [{name: a}]\n", "input/29.yaml": b"{}\n"}
    assert name_scan.read(files.get).components == ("a",)


@pytest.mark.corpus
@pytest.mark.parametrize("stack", ["everything", "prd"])
def test_real_descriptions_have_the_names_of_their_stack(corpus: Path, stack: str) -> None:
    def read(path: str) -> bytes | None:
        file = corpus / "stacks" / stack / path
        return file.read_bytes() if file.is_file() else None

    assert name_scan.read(read).resolved.stack == tuple(
        str(part.name) for part in parse_description(InputFiles(read)).stack.components
    )
