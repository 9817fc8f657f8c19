"""The schemas of Kubernetes' own kinds, by minor version: the fields of each, and the type that a field has.

The table is generated (``kubernetes_schema_table``). Sources: Kubernetes, ``api/openapi-spec/swagger.json`` of each minor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType
from typing import Final

from cluster_forge.manifests import schema_lines
from cluster_forge.manifests.kubernetes_apis import minors, minors_in
from cluster_forge.manifests.kubernetes_schema_table import FIELDS, KINDS
from cluster_forge.manifests.schema_lines import FieldLine

ANY: Final = "any"
LIST: Final = "list"
MAPPING: Final = "mapping"
FIELDS_OF: Final = "fields"
"""The types of a `Shape` that lead further, or say nothing; any other is that of a scalar."""

_DEFINITION: Final = "."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shape:
    """What a field may hold.

    ``type``: one of the above, or ``string``, ``int32``, ``int64``, ``number``, ``boolean``, ``bytes`` (Base64), ``time``,
    ``micro-time``, ``quantity``, ``int-or-string``, ``object`` (a mapping of anything). ``inner``: of the entries of a list,
    or the values of a mapping. ``keys``: what identifies the entries of a list, with their defaults; ``is_set``: its
    entries are scalars, each once. ``definition``: the fields, for `Schemas.fields`.
    """

    type: str
    inner: Shape | None = None
    keys: tuple[tuple[str, str], ...] = ()
    is_set: bool = False
    definition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fields:
    """The fields of a mapping with fixed names, and the names of the required ones (as Kubernetes calls them)."""

    shapes: Mapping[str, Shape]
    required: tuple[str, ...]


class Schemas:
    """The schemas of one minor (36 of Kubernetes 1.36); a minor outside of the table is taken as the nearest in it."""

    def __init__(self, minor: int) -> None:
        known = minors()
        self.minor = min(max(minor, known[0]), known[-1])
        self._known: dict[str, Fields] = {}

    def kind(self, group: str, version: str, kind: str) -> Shape | None:
        """The schema of a kind; None if the minor does not know it."""
        definition = self._kinds.get((group, version, kind))
        return Shape(type=FIELDS_OF, definition=definition) if definition else None

    def minors_of(self, definition: str, field: str) -> tuple[int, ...]:
        """All minors that know a field of a definition, in their order; its type may differ between them."""
        lines = (line for line in _lines(definition) if line.name == field)
        return tuple(sorted(minor for line in lines for minor in minors_in(line.minors)))

    def fields(self, definition: str) -> Fields:
        """The fields of a definition (`Shape.definition`)."""
        known = self._known.get(definition)
        if known is None:
            known = self._known[definition] = _fields(definition, self.minor)
        return known

    @cached_property
    def _kinds(self) -> Mapping[tuple[str, str, str], str]:
        return {
            (group, version, kind): definition
            for group, version, kind, where, definition in KINDS
            if self.minor in minors_in(where)
        }


@cache
def of_minor(minor: int) -> Schemas:
    """The schemas of a minor, read once."""
    return Schemas(minor)


def _fields(definition: str, minor: int) -> Fields:
    lines = [line for line in _lines(definition) if minor in minors_in(line.minors)]
    return Fields(
        shapes=MappingProxyType({line.name: _shape(line.type, line.marks) for line in lines}),
        required=tuple(line.name for line in lines if "required" in line.marks),
    )


def _lines(definition: str) -> Iterator[FieldLine]:
    return schema_lines.fields(_definitions().get(definition, ""))


@cache
def _definitions() -> Mapping[str, str]:
    return schema_lines.definitions(FIELDS)


def _shape(type_: str, marks: tuple[str, ...] = ()) -> Shape:
    if type_.startswith("[]"):
        keys = next((mark.removeprefix("map=") for mark in marks if mark.startswith("map=")), "")
        inner = _shape(type_.removeprefix("[]"))
        return Shape(type=LIST, inner=inner, keys=tuple(_keys(keys)), is_set="set" in marks)
    if type_.startswith("{}"):
        return Shape(type=MAPPING, inner=_shape(type_.removeprefix("{}")))
    if _DEFINITION in type_:
        return Shape(type=FIELDS_OF, definition=type_)
    return _scalar(type_)


@cache
def _scalar(type_: str) -> Shape:
    return Shape(type=type_)


def _keys(text: str) -> Iterator[tuple[str, str]]:
    """``containerPort,protocol:TCP``: each key with its default."""
    for key in filter(None, text.split(",")):
        name, _, default = key.partition(":")
        yield name, default
