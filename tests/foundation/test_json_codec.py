"""Values as JSON and back."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation import json_codec
from cluster_forge.foundation.digest import Digest
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


@given(outer)
def test_what_is_dumped_is_loaded(value: Outer) -> None:
    assert json_codec.load(Outer, json_codec.dump(value)) == value


@given(outer)
def test_types_come_back(value: Outer) -> None:
    found = json_codec.load(Outer, json_codec.dump(value))
    assert type(found.color) is Color
    assert all(type(each) is Inner and type(each.name) is ComponentName for each in found.inner)
    assert all(each.digest is None or type(each.digest) is Digest for each in found.named.values())


def test_the_order_of_keys_is_kept() -> None:
    found = json_codec.load(Outer, json_codec.dump(Outer(values={"b": 2, "a": 1})))
    assert list(found.values) == ["b", "a"]


@pytest.mark.parametrize("value", [2**64, object(), {1, 2}, b"bytes"])
def test_what_json_has_no_place_for(value: object) -> None:
    with pytest.raises(TypeError):
        json_codec.dump(Outer(values={"a": value}))


@pytest.mark.parametrize("content", [b"[]", b"{}", b"nothing", b'{"color": "blue"}', b'{"inner": [{"name": "-"}]}'])
def test_what_is_none(content: bytes) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        json_codec.load(Outer, content)
