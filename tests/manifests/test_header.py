"""The header of an object is read and replaced without the rest, with the same result as with the whole tree."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.manifests.test_emitter import text, value

from cluster_forge.manifests import emitter, header
from cluster_forge.manifests.manifest import Document

LIKE_METADATA = [
    "metadata",
    "metadata:",
    "metadata: {}",
    "metadata:\n  name: x\n",
    "a\nmetadata:\n  name: x\n\n\n",
    "'metadata'",
    '"metadata":{',
]
key = st.one_of(st.sampled_from([*LIKE_METADATA, "a" * 2000, "Z"]), text)
inner = st.one_of(st.sampled_from(LIKE_METADATA), value, st.dictionaries(key, value, max_size=3))
metadata = st.dictionaries(key, inner, max_size=4)
rest = st.dictionaries(key, inner, max_size=4).map(lambda tree: {key: tree[key] for key in tree if key != "metadata"})

HARD: dict[str, Any] = {
    "a" * 2000: {"b" * 2000: ["c"]},
    "data": {"run": "a\n\nmetadata:\n  name: b\n\n\n", "metadata": {"name": "c"}},
    "items": [{"metadata": {"name": "d"}}, "metadata:\n", ["- metadata:\n\n"]],
    "metadata:e": "\n\n  f",
}


@given(rest, metadata, metadata, rest)
@example(HARD, {"name": "a\n\nb\n\n\n"}, {}, HARD)
@example({}, {}, {"annotations": {"x": "a\n\n\n"}}, {"kind": "a"})
def test_replaced_metadata_is_as_if_all_was_written_again(
    before: dict[str, Any], old: dict[str, Any], new: dict[str, Any], after: dict[str, Any]
) -> None:
    written = emitter.document({**before, "metadata": old, **after}).encode()
    block = emitter.document({"metadata": new}).encode()
    assert header.replaced(written, block).decode() == emitter.document({**before, "metadata": new, **after})


@given(rest, metadata)
@example(HARD, {"name": 'é😀"'})
def test_the_header_is_read_as_from_the_whole_object(others: dict[str, Any], metadata: dict[str, Any]) -> None:
    body = {**others, "apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    content = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    read = header.of(content)
    assert read.items() <= orjson.loads(content).items()
    assert {"apiVersion", "kind", "metadata"} <= read.keys()


def test_what_follows_the_metadata_is_not_read() -> None:
    assert header.of(b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{')["metadata"] == {"name": "a"}


BODY: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"b": "metadata:\n"}}
JSON = orjson.dumps(BODY)
TEXT = emitter.document(BODY).encode()
EDITED = b'"metadata":\n  {name: a}\nkind: Pod\n'


@pytest.mark.parametrize(
    "document",
    [
        Document(body=BODY),
        Document(json=JSON),
        Document(json=JSON, text=TEXT),
        Document(json=JSON, text=EDITED, is_emitted=False),
        Document(read=lambda: BODY, text=EDITED, is_emitted=False),
    ],
    ids=["tree", "json", "emitted text", "edited text", "edited file"],
)
def test_every_form_has_the_other_metadata(document: Document) -> None:
    facts = document.facts
    changed = document.with_metadata({"name": "a", "namespace": "b"}).with_metadata({"namespace": "c", "name": "a"})
    expected = {**BODY, "metadata": {"namespace": "c", "name": "a"}}
    assert changed.text.decode() == emitter.document(expected)
    assert (changed.body, changed.header["metadata"]) == (expected, expected["metadata"])
    assert changed.json == orjson.dumps(expected, option=orjson.OPT_SORT_KEYS)
    assert changed.facts is facts
    assert document.body == BODY
