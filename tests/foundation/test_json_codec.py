"""Dataclasses as JSON and back."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation import json_codec
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.json_codec import OMITTED, DecodeError, Form, Key
from cluster_forge.foundation.names import ComponentName


class Color(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Inner:
    name: ComponentName
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    color: Color = Color.RED
    inner: tuple[Inner, ...] = ()
    named: Mapping[str, Inner] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    ratio: float = 0.5
    is_on: bool = True


@dataclass(frozen=True, slots=True)
class Annotations:
    version: Literal["v1", "v2"]
    amount: Annotated[int, Key("n")]
    words: Annotated[tuple[str, ...], Form(dump=" ".join, load=lambda text: tuple(text.split()))]
    digests: Mapping[str, Annotated[Digest, Form(dump=lambda digest: digest.hex, load=Digest)]]
    cached: Annotated[object, OMITTED] = None


names = st.text(string.ascii_lowercase, min_size=1, max_size=5).map(ComponentName)
inner = st.builds(Inner, names, st.none() | st.binary(max_size=2).map(Digest.of))
leaves = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=4)
values = st.dictionaries(st.text(max_size=3), leaves | st.lists(leaves, max_size=3), max_size=3)
outer = st.builds(
    Outer,
    inner=st.lists(inner, max_size=3).map(tuple),
    named=st.dictionaries(st.text(max_size=3), inner, max_size=3).map(MappingProxyType),
    values=values,
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    is_on=st.booleans(),
)
WRITTEN = (
    b'{"color":"red","inner":[{"name":"a","digest":null}],"named":{"b":{"name":"b","digest":null}},'
    b'"values":{},"ratio":0.5,"is_on":true}'
)


@given(outer)
def test_a_dumped_value_is_loaded(value: Outer) -> None:
    assert json_codec.load(Outer, json_codec.dump(value)) == value


@given(outer)
def test_loaded_values_have_their_types(value: Outer) -> None:
    loaded = json_codec.load(Outer, json_codec.dump(value))
    assert type(loaded.color) is Color
    assert all(type(item) is Inner and type(item.name) is ComponentName for item in loaded.inner)
    assert all(item.digest is None or type(item.digest) is Digest for item in loaded.named.values())


def test_the_order_of_keys_is_kept() -> None:
    loaded = json_codec.load(Outer, json_codec.dump(Outer(values={"b": 2, "a": 1})))
    assert list(loaded.values) == ["b", "a"]


@pytest.mark.parametrize("value", [2**64, object(), {1, 2}, b"bytes"])
def test_a_value_without_a_form_in_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        json_codec.dump(Outer(values={"a": value}))


def test_annotations_give_keys_and_forms() -> None:
    digest = Digest.of(b"")
    value = Annotations("v1", 3, ("a", "b"), {"x": digest}, cached=object())
    content = json_codec.dump(value)
    assert content == f'{{"version":"v1","n":3,"words":"a b","digests":{{"x":"{digest.hex}"}}}}'.encode()
    assert json_codec.load(Annotations, content) == Annotations("v1", 3, ("a", "b"), {"x": digest})


def test_indented_json_is_the_same_value() -> None:
    value = Outer(inner=(Inner(ComponentName("a")),))
    content = json_codec.dump(value, indent=True)
    assert content.endswith(b"}\n")
    assert content.count(b"\n") > 5
    assert json_codec.load(Outer, content) == value


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (WRITTEN, b"nothing", "not JSON"),
        (WRITTEN, b"[]", r"\[\] is not an object"),
        (b'"color":"red",', b"", "color: is missing"),
        (b'"red"', b'"blue"', "color: 'blue' is not a valid Color"),
        (b'"red"', b"1", "color: 1 is not text"),
        (b'[{"name":"a","digest":null}]', b"{}", r"inner: \{\} is not a list"),
        (b'"name":"a"', b'"name":"-"', r"inner\[0\].name: '-' is not a DNS label"),
        (b'"name":"a","digest":null', b'"name":"a","digest":"x"', r"inner\[0\].digest: not a sha256 digest: 'x'"),
        (b'"name":"b"', b'"name":["b"]', r"named\['b'\].name: \['b'\] is not text"),
        (b'"values":{}', b'"values":[]', r"values: \[\] is not an object"),
        (b"0.5", b'"0.5"', "ratio: '0.5' is not a number"),
        (b"true", b"1", "is_on: 1 is not true or false"),
    ],
)
def test_damage_is_reported_with_its_place(old: bytes, new: bytes, message: str) -> None:
    assert json_codec.load(Outer, WRITTEN).inner
    assert old in WRITTEN
    with pytest.raises(DecodeError, match=f"^{message}"):
        json_codec.load(Outer, WRITTEN.replace(old, new))


def test_a_literal_has_one_of_its_values() -> None:
    with pytest.raises(DecodeError, match=r"^version: 'v3' is not 'v1' or 'v2'$"):
        json_codec.load(Annotations, b'{"version": "v3"}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    radius: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    shapes: tuple[Circle | Label, ...]


def test_one_of_several_dataclasses_is_known_by_its_name() -> None:
    drawing = Drawing(shapes=(Circle(radius=2), Label(words=frozenset({"b", "a"}))))
    written = json_codec.dump(drawing)
    assert written == b'{"shapes":[{"is":"Circle","radius":2},{"is":"Label","words":["a","b"]}]}'
    assert json_codec.load(Drawing, written) == drawing


@pytest.mark.parametrize("shape", [b"{}", b'{"is":"Square"}', b'{"is":["Circle"]}', b"[]", b'{"is":"Circle"}'])
def test_what_is_none_of_them_is_refused(shape: bytes) -> None:
    with pytest.raises(json_codec.DecodeError, match=r"shapes\[0\]"):
        json_codec.load(Drawing, b'{"shapes":[%s]}' % shape)
