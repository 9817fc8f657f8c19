"""Values as JSON and back: dataclasses by the types of their fields, so that what is kept needs no format of its own."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import orjson

Kind = TypeVar("Kind")


def dump(value: Any) -> bytes:
    """Dataclasses, enums, tuples, mappings and what JSON has, in their own order.

    Raises:
        TypeError: for anything else, and for integers of more than 64 bits.
    """
    return orjson.dumps(value, default=_mapping, option=orjson.OPT_NON_STR_KEYS)


def load(kind: type[Kind], content: bytes) -> Kind:
    """The value of the type ``kind`` that `dump` wrote.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: if ``content`` is none.
    """
    loaded: Kind = _built(kind, orjson.loads(content))
    return loaded


def _mapping(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def _built(kind: Any, value: Any) -> Any:
    if kind is Any or value is None:
        return value
    outer, arguments = typing.get_origin(kind), typing.get_args(kind)
    if outer is types.UnionType:  # X | None, and it is not None
        return _built(arguments[0], value)
    if outer is tuple:
        return tuple(_built(arguments[0], each) for each in value)
    if outer is Mapping:
        return {key: _built(arguments[1], each) for key, each in value.items()}
    fields = _fields(kind)
    if fields:
        return kind(**{name: _built(each, value[name]) for name, each in fields.items()})
    return kind(value)


@functools.cache
def _fields(kind: Any) -> Mapping[str, Any]:
    """The types of a dataclass' fields, by name; of other types nothing."""
    if not dataclasses.is_dataclass(kind):
        return {}
    hints = typing.get_type_hints(kind)
    return {each.name: hints[each.name] for each in dataclasses.fields(kind)}
