"""Variables in the objects of own files: typed, as trees, with errors at the file's line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.stack.named_values import NamedValues
from cluster_forge.stack.variables.expansion import escaped
from cluster_forge.stages.build.rendering.substitution import substituted

NAMES = NamedValues(
    variables={"replicas": 3, "tag": 1.1, "name": "web", "labels": {"team": "shop"}},
    texts={"tag": "1.10"},
    facts={"target": {"size": "large"}, "component": {"namespace": "shop", "name": "shop"}, "provides": {}},
)
FILE = """\
kind: X
a: ${replicas}
---
b: x
c: |
  one
  two ${missing}
"""


def manifest(body: dict[str, Any], line: int = 1) -> Manifest:
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, **body}
    return Manifest.of(whole, Provenance(component=ComponentName("shop"), origin=f"input/a.yaml:{line}"))


def read(path: str) -> bytes | None:
    return FILE.encode() if path == "input/a.yaml" else None


def one(body: dict[str, Any]) -> Manifest:
    (result,) = substituted((manifest(body),), NAMES, read)
    return result


def test_texts_are_replaced_and_typed() -> None:
    body = {
        "metadata": {"name": "${name}", "labels": "${labels}"},
        "spec": {"replicas": "${replicas}", "image": "x:${tag}", "args": ["${{ component.namespace }}", "$${HOME}"]},
    }
    result = one(body)
    assert result.body["metadata"] == {"name": "web", "labels": {"team": "shop"}}
    assert result.body["spec"] == {"replicas": 3, "image": "x:1.10", "args": ["shop", "${HOME}"]}
    assert result.id.name == "web"


def test_facts_are_those_of_the_new_object() -> None:
    body = {"kind": "Pod", "spec": {"containers": [{"name": "a", "image": "nginx:${tag}"}]}}
    before = manifest(body)
    noted = replace(before.facts, repeated_keys=("a.b",), dropped_fields=("status",))
    before.document._facts = noted
    (result,) = substituted((before,), NAMES, read)
    assert result.facts.images == ("nginx:1.10",)
    assert (result.facts.repeated_keys, result.facts.dropped_fields) == (("a.b",), ("status",))


def test_keys_and_objects_without_references_stay() -> None:
    plain = manifest({"data": {"a": "$HOME $(x) {{ y }}"}})
    assert substituted((plain,), NAMES, read)[0] is plain
    assert one({"data": {"${name}": "x"}}).body["data"] == {"${name}": "x"}


def test_an_error_has_the_file_and_line() -> None:
    with pytest.raises(ForgeError) as caught:
        substituted((manifest({"c": "one\ntwo ${missing}\n"}, line=4),), NAMES, read)
    assert caught.value.where == "input/a.yaml:7:7"
    assert caught.value.message == "unknown variable 'missing'"


def test_the_errors_of_all_objects_come_together() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        substituted((manifest({"c": "${a}"}), manifest({"c": "${b}"}), manifest({"c": "${name}"})), NAMES, read)
    assert len(list(leaves(caught.value))) == 2


@pytest.mark.parametrize("part", [{"metadata": {"name": "${replicas}"}}, {"kind": "${labels}"}])
def test_an_object_without_a_name_is_an_error(part: dict[str, Any]) -> None:
    with pytest.raises(ForgeError, match="must be texts"):
        substituted((manifest(part),), NAMES, read)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4))
def test_escaped_texts_come_back(data: dict[str, str]) -> None:
    assert one({"data": {key: escaped(text) for key, text in data.items()}}).body["data"] == data
