"""Objects as bytes: unpacking returns what was packed, in every form."""

from __future__ import annotations

from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import batch, emitter, facts
from cluster_forge.manifests.facts import CustomKind, Facts
from cluster_forge.manifests.manifest import Document, Manifest, Provenance

WEB, OTHER = ComponentName("web"), ComponentName("other")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
words = st.text("abcXY.-/ é😀", min_size=1, max_size=8)
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": draw(words)}
    if draw(st.booleans()):
        metadata["namespace"] = draw(words)
    if draw(st.booleans()):
        metadata["annotations"] = {
            "helm.sh/hook": draw(st.sampled_from(["pre-install", "test", "post-delete, pre-upgrade", ""])),
            "helm.sh/hook-weight": draw(st.sampled_from(["1", "-5", "x", None])),
        }
    body = {"apiVersion": draw(st.sampled_from(["v1", "apps/v1", "example.com/v1"])), "kind": draw(words)}
    spec = draw(trees) if draw(st.booleans()) else {"containers": [{"image": draw(words)}]}
    return {**body, "metadata": metadata, "spec": spec}


def manifest(body: dict[str, Any], origin: str = "templates/a.yaml:1") -> Manifest:
    return Manifest.of(body, Provenance(component=WEB, origin=origin))


@given(st.lists(st.tuples(bodies(), words), max_size=5))
def test_unpacking_returns_what_was_packed(objects: list[tuple[dict[str, Any], str]]) -> None:
    packed = tuple(manifest(body, origin) for body, origin in objects)
    unpacked = batch.unpack(batch.pack(packed), WEB)
    assert unpacked == packed
    for item, (body, origin) in zip(unpacked, objects, strict=True):
        assert item.body == body
        assert item.provenance == Provenance(component=WEB, origin=origin)
        assert item.text.decode() == emitter.document(body)
        assert item.facts == facts.of(body)


@given(st.lists(bodies(), max_size=3))
def test_equal_objects_have_equal_bytes(objects: list[dict[str, Any]]) -> None:
    first, second = (tuple(map(manifest, objects)) for _ in range(2))
    assert batch.pack(first) == batch.pack(second)
    assert batch.pack(batch.unpack(batch.pack(first), OTHER)) == batch.pack(first)


def test_unpacked_objects_belong_to_the_given_component() -> None:
    packed = batch.pack([manifest({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}})])
    (unpacked,) = batch.unpack(packed, OTHER)
    assert unpacked.provenance == Provenance(component=OTHER, origin="templates/a.yaml:1")


def test_texts_and_facts_are_kept() -> None:
    """Unpacking computes nothing from the tree again."""
    given_facts = Facts(
        images=("b", "a"),
        hook="pre-install",
        weight=-3,
        defines=CustomKind(group="example.com", kind="W", namespaced=True, versions=("v1", "v2")),
    )
    document = Document(
        json=b'{"apiVersion":"v1","kind":"X","metadata":{"name":"a"}}', text=b"# unchanged\n", facts=given_facts
    )
    original = manifest({"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}})
    packed = batch.pack([Manifest(id=original.id, document=document, provenance=original.provenance)])
    (unpacked,) = batch.unpack(packed, WEB)
    assert (unpacked.text, unpacked.facts, unpacked.document.json) == (b"# unchanged\n", given_facts, document.json)


def test_similar_objects_compress_well() -> None:
    objects = tuple(
        manifest({"apiVersion": "v1", "kind": "X", "metadata": {"name": f"n{n}"}, "data": {"a": "b" * 200}})
        for n in range(500)
    )
    assert len(batch.pack(objects)) < 20_000


def test_other_bytes_are_an_error() -> None:
    with pytest.raises(zstandard.ZstdError):
        batch.unpack(b"nonsense", WEB)
