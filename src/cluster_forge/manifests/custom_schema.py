"""The schema of a custom resource, as its CRD has it (``openAPIV3Schema``), read where it is asked for.

A strategic merge patch finds the entries of a list by all its keys that have no default, as kustomize does with the schema
of a CRD; the API server takes no such patch for custom resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests.field_schema import UNKNOWN, FieldSchema, ListType, Marks, PatchStrategy
from cluster_forge.manifests.manifest import Body

_LIST_TYPE: Final = "x-kubernetes-list-type"
_KEYS: Final = "x-kubernetes-list-map-keys"
_MAP_TYPE: Final = "x-kubernetes-map-type"
_EMBEDDED: Final = "x-kubernetes-embedded-resource"

Kind = tuple[str, str, str]
"""Group, version, kind."""


def schemas(definition: Body) -> Iterator[tuple[Kind, Mapping[str, Any]]]:
    """The kinds that a CRD defines, each with the schema of its version; none for what is not a proper CRD."""
    spec = mapping(definition.get("spec"))
    group, kind = spec.get("group"), mapping(spec.get("names")).get("kind")
    for version in map(mapping, sequence(spec.get("versions"))):
        name = version.get("name")
        schema = mapping(version.get("schema")).get("openAPIV3Schema")
        if isinstance(group, str) and isinstance(kind, str) and isinstance(name, str) and isinstance(schema, Mapping):
            yield (group, name, kind), schema


class CustomSchema(FieldSchema):
    """One field of a custom resource. ``metadata`` is the schema of the metadata of objects, the root's and embedded ones."""

    __slots__ = ("_has_metadata", "_metadata", "_schema")

    def __init__(self, schema: Mapping[str, Any], metadata: FieldSchema, *, is_root: bool = False) -> None:
        super().__init__(_marks(schema))
        self._schema = schema
        self._metadata = metadata
        self._has_metadata = is_root or schema.get(_EMBEDDED) is True

    def field(self, name: str) -> FieldSchema:
        if name == "metadata" and self._has_metadata:
            return self._metadata
        return self._below(mapping(self._schema.get("properties")).get(name, self._schema.get("additionalProperties")))

    @property
    def entries(self) -> FieldSchema:
        return self._below(self._schema.get("items"))

    def _below(self, schema: Any) -> FieldSchema:
        return CustomSchema(schema, self._metadata) if isinstance(schema, Mapping) else UNKNOWN


def _marks(schema: Mapping[str, Any]) -> Marks:
    is_one_value = schema.get(_MAP_TYPE) == "atomic" and bool(mapping(schema.get("properties")))
    match schema.get(_LIST_TYPE):
        case ListType.SET:
            return Marks(list_type=ListType.SET)
        case ListType.MAP if keys := tuple(key for key in sequence(schema.get(_KEYS)) if isinstance(key, str)):
            properties = mapping(mapping(schema.get("items")).get("properties"))
            known = ((key, mapping(properties.get(key)).get("default")) for key in keys)
            defaults = MappingProxyType({key: default for key, default in known if default is not None})
            merge_key = next((key for key in keys if key not in defaults), keys[0])
            return Marks(
                list_type=ListType.MAP,
                keys=keys,
                defaults=defaults,
                list_strategy=PatchStrategy.MERGE,
                merge_key=merge_key,
            )
    return Marks(is_one_value=is_one_value)
