"""The schemas by which objects merge: of Kubernetes' own kinds by minor version, and of the stack's custom resources.

The tables of the former are generated (``kubernetes_schema_table``, ``merge_key_table``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.manifests import custom_schema, schema_lines
from cluster_forge.manifests.custom_schema import CustomSchema, Kind
from cluster_forge.manifests.field_schema import UNKNOWN, FieldSchema, ListType, Marks, PatchStrategy
from cluster_forge.manifests.identity import group_of
from cluster_forge.manifests.kubernetes_apis import minors_in
from cluster_forge.manifests.kubernetes_schema_table import KINDS
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.merge_key_table import FIELDS

_METADATA: Final = "apimachinery.pkg.apis.meta.v1.ObjectMeta"
_LIST: Final = "[]"
_MAPPING: Final = "{}"

_Fields = Mapping[str, tuple[str, Marks]]
"""The fields of one definition: the type of each and its marks."""


class MergeKeys:
    """The schemas of the kinds in a cluster of a minor version with the given CRDs."""

    def __init__(self, minor: int, custom: Mapping[Kind, Mapping[str, Any]]) -> None:
        self._minor = minor
        self._custom = custom

    @classmethod
    def of(cls, minor: int, definitions: Iterable[Body] = ()) -> MergeKeys:
        """Of a cluster of ``minor`` (36 of Kubernetes 1.36) with the CRDs ``definitions``, of which nothing is copied."""
        custom = {kind: schema for definition in definitions for kind, schema in custom_schema.schemas(definition)}
        return cls(minor, MappingProxyType(custom))

    def schema(self, group: str, version: str, kind: str) -> FieldSchema | None:
        """The schema of a kind; None if neither Kubernetes nor the CRDs know it.

        A kind that the minor does not have is taken as the nearest one has it: an old API, or a coming one.
        """
        custom = self._custom.get((group, version, kind))
        if custom is not None:
            return CustomSchema(custom, _definition(_METADATA, self._minor), is_root=True)
        known = _kinds().get((group, version, kind))
        if known is None:
            return None
        minor, definition = min(known, key=lambda row: (abs(row[0] - self._minor), row[0]))
        return _definition(definition, minor)

    def of_object(self, body: Body) -> FieldSchema | None:
        """The `schema` of an object's kind."""
        api_version = str(body.get("apiVersion"))
        return self.schema(group_of(api_version), api_version.rpartition("/")[2], str(body.get("kind")))


class _BuiltIn(FieldSchema):
    """A field of type ``target`` (as the table writes it) in ``minor``."""

    __slots__ = ("_minor", "_target")

    def __init__(self, target: str, marks: Marks, minor: int) -> None:
        super().__init__(marks)
        self._target = target
        self._minor = minor

    def field(self, name: str) -> FieldSchema:
        if self._target.startswith(_MAPPING):
            return _definition(self._target.removeprefix(_MAPPING), self._minor)
        known = _fields(self._minor).get(self._target, {}).get(name)
        return _BuiltIn(*known, self._minor) if known else UNKNOWN

    @property
    def entries(self) -> FieldSchema:
        is_list = self._target.startswith(_LIST)
        return _definition(self._target.removeprefix(_LIST), self._minor) if is_list else UNKNOWN


def _definition(name: str, minor: int) -> FieldSchema:
    return _BuiltIn(name, Marks(), min(max(minor, _FIRST), _LAST))


@cache
def _kinds() -> Mapping[Kind, tuple[tuple[int, str], ...]]:
    """Each kind with the minors that have it and its definition there."""
    by_kind: defaultdict[Kind, list[tuple[int, str]]] = defaultdict(list)
    for group, version, kind, where, definition in KINDS:
        by_kind[group, version, kind] += ((minor, definition) for minor in minors_in(where))
    return MappingProxyType({kind: tuple(rows) for kind, rows in by_kind.items()})


@cache
def _fields(minor: int) -> Mapping[str, _Fields]:
    """The definitions of a minor."""
    return MappingProxyType(
        {
            definition: {
                line.name: (line.type, _marks(line.marks))
                for line in schema_lines.fields(lines)
                if minor in minors_in(line.minors)
            }
            for definition, lines in schema_lines.definitions(FIELDS).items()
        }
    )


@cache
def _marks(texts: tuple[str, ...]) -> Marks:
    """``map=containerPort,protocol:TCP``, ``patch=containerPort``."""
    marks = dict(text.partition("=")[::2] for text in texts)
    keys = tuple(key.partition(":")[::2] for key in marks["map"].split(",")) if "map" in marks else ()
    return Marks(
        list_type=ListType.MAP if keys else ListType.SET if "set" in marks else ListType.ATOMIC,
        keys=tuple(key for key, _ in keys),
        defaults=MappingProxyType({key: default for key, default in keys if default}),
        list_strategy=PatchStrategy.MERGE if "patch" in marks else PatchStrategy.REPLACE,
        merge_key=marks.get("patch", ""),
        mapping_strategy=PatchStrategy.REPLACE if "replace" in marks else PatchStrategy.MERGE,
        is_one_value="one" in marks,
    )


_FIRST: Final = min(minors_in(",".join(row[3] for row in KINDS)))
_LAST: Final = max(minors_in(",".join(row[3] for row in KINDS)))
