"""The types of a CRD's schema as an API server declares them to CEL, with the most entries or characters of each value.

Source: ``k8s.io/apiserver``, ``pkg/cel/common/schemas.go`` (``SchemaDeclType``). What a schema does not limit, the size of a
request does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.cel import fields
from cluster_forge.cel.cost.declared import Declared, Kind
from cluster_forge.foundation.untyped import mapping, sequence

REQUEST: Final = 3 << 20
"""Bytes of the largest request (``MaxRequestSizeBytes``)."""
DEEPEST: Final = 100
"""Levels of a schema."""
_EMPTY: Final = 2
"""Bytes of ``{}``, ``[]`` or ``""``."""
_TIMES: Final = {
    "duration": (Kind.DURATION, 32, 3),
    "date": (Kind.TIMESTAMP, 12, 12),
    "date-time": (Kind.TIMESTAMP, 32, 21),
}
"""The kind, the most and the fewest bytes of each format that has a type of its own."""
_SCALARS: Final = {
    "boolean": Declared(kind=Kind.BOOL, least_bytes=4),
    "integer": Declared(kind=Kind.INT, least_bytes=1),
    "number": Declared(kind=Kind.DOUBLE, least_bytes=1),
}
_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_EMBEDDED: Final = "x-kubernetes-embedded-resource"


def declared(schema: Mapping[str, Any], *, is_root: bool = False, depth: int = 0) -> Declared | None:
    """The type of a schema; None if expressions do not see it, or if it is too deep. ``is_root``: it is that of a whole object."""
    if depth > DEEPEST:
        return None
    if schema.get("x-kubernetes-int-or-string") is True:
        most = _length(schema)
        return Declared(kind=Kind.DYN, most=REQUEST - _EMPTY if most is None else most, least_bytes=1)
    kind = schema.get("type")
    if kind == "array":
        return _list(schema, depth)
    if kind == "object":
        return _object(schema, depth, is_root=is_root or schema.get(_EMBEDDED) is True)
    if kind == "string":
        return _text(schema)
    return _SCALARS.get(kind) if isinstance(kind, str) else None


def _list(schema: Mapping[str, Any], depth: int) -> Declared | None:
    entry = declared(mapping(schema.get("items")), depth=depth + 1)
    if entry is None:
        return None
    most = _limit(schema, "maxItems")
    if most is None:
        most = (REQUEST - _EMPTY) // (entry.least_bytes + 1)
    return Declared(kind=Kind.LIST, most=most, least_bytes=_EMPTY, entry=entry)


def _object(schema: Mapping[str, Any], depth: int, *, is_root: bool) -> Declared | None:
    if isinstance(schema.get("additionalProperties"), Mapping) and not is_root:
        entry = declared(schema["additionalProperties"], depth=depth + 1)
        if entry is None:
            return None
        most = _limit(schema, "maxProperties")
        if most is None:
            most = (REQUEST - _EMPTY) // (entry.least_bytes + 6)
        return Declared(kind=Kind.MAP, most=most, least_bytes=_EMPTY, entry=entry)
    properties = mapping(schema.get("properties"))
    if is_root:
        metadata = {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}}
        properties = {**properties, "kind": _TEXT, "apiVersion": _TEXT, "metadata": metadata}
    least = _EMPTY
    for name in sequence(schema.get("required")):
        own = mapping(properties.get(name)) if isinstance(name, str) else {}
        if own.get("default") is None and (field := declared(own, depth=depth + 1)):
            least += len(name) + field.least_bytes + 4
    return Declared(kind=Kind.OBJECT, least_bytes=least, fields=_Fields(properties))


class _Fields(Mapping[str, Declared]):
    """The fields of an object by their names in CEL; the type of one is known when it is asked for: schemas are large."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._properties = properties

    def __getitem__(self, name: str) -> Declared:
        key = name if name in self._properties else fields.property_name(name)
        field = declared(mapping(self._properties[key]))
        if field is None:
            raise KeyError(name)
        return field

    def __iter__(self) -> Iterator[str]:
        return iter(self._properties)

    def __len__(self) -> int:
        return len(self._properties)


def _text(schema: Mapping[str, Any]) -> Declared:
    form = schema.get("format")
    if isinstance(form, str) and form in _TIMES:
        kind, most, least = _TIMES[form]
        return Declared(kind=kind, most=most, least_bytes=least)
    if form == "byte":
        limit = _limit(schema, "maxLength")
        return Declared(kind=Kind.BYTES, most=REQUEST - _EMPTY if limit is None else limit, least_bytes=_EMPTY)
    length = _length(schema)
    if length is None:
        values = [len(value.encode()) for value in sequence(schema.get("enum")) if isinstance(value, str)]
        length = max(values, default=0) if schema.get("enum") else REQUEST - _EMPTY
    return Declared(kind=Kind.STRING, most=length, least_bytes=_EMPTY)


def _length(schema: Mapping[str, Any]) -> int | None:
    """The most bytes of a text: a character has up to four."""
    limit = _limit(schema, "maxLength")
    return None if limit is None else 4 * limit


def _limit(schema: Mapping[str, Any], key: str) -> int | None:
    value = schema.get(key)
    return max(value, 0) if type(value) is int else None
