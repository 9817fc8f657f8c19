"""One document in several forms, each computed from another when first used."""

from __future__ import annotations

import tracemalloc
from typing import Any

import orjson
import pytest

from cluster_forge.manifests import emitter, facts
from cluster_forge.manifests.facts import Facts
from cluster_forge.manifests.manifest import Document

BODY: dict[str, Any] = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "a"},
    "spec": {"z": 1, "a": [None, "y"]},
}
JSON = b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"a":[null,"y"],"z":1}}'


@pytest.mark.parametrize("document", [Document(body=BODY), Document(json=JSON)], ids=["tree", "json"])
def test_every_form_is_available(document: Document) -> None:
    assert document.json == JSON
    assert document.body == BODY
    assert orjson.loads(document.json) == document.body
    assert document.text.decode() == emitter.document(document.body)
    assert document.facts == facts.of(BODY)


def test_a_form_is_computed_once() -> None:
    document = Document(json=JSON)
    assert document.body is document.body
    assert document.text is document.text
    assert document.facts is document.facts


def test_json_takes_no_more_memory_than_its_content() -> None:
    """Tens of thousands of objects are kept: a buffer of 8 KB for each would be half of the memory of `smelt`."""
    documents = [Document(body={**BODY, "number": number, "text": "x" * 1000}) for number in range(100)]
    tracemalloc.start()
    try:
        size = sum(len(document.json) for document in documents)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 1.5 * size


def test_a_given_form_is_not_computed() -> None:
    known = Facts(images=("x",))
    document = Document(json=b"{", text=b"text", facts=known)
    assert (document.text, document.facts, document.json) == (b"text", known, b"{")


def test_documents_with_equal_content_are_equal() -> None:
    other = Document(body={**BODY, "spec": {"a": [None, "y"], "z": 1}}, text=b"another text", facts=Facts(hook="x"))
    assert Document(body=BODY) == other == Document(json=JSON)
    assert Document(body=BODY) != Document(body={**BODY, "kind": "Node"})
    assert Document(body={"a": 1}) != Document(body={"a": True})
    assert Document(body=BODY) != BODY


def test_a_document_has_no_hash_and_shows_its_content() -> None:
    with pytest.raises(TypeError):
        hash(Document(body=BODY))
    assert repr(Document(body=BODY)) == f"Document({JSON.decode()})"
