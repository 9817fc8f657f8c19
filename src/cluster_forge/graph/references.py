"""The objects that an object names: in the fields that its kind has for that, in labels and annotations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import orjson

from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.graph import built_in_fields, custom_fields, field_walk
from cluster_forge.graph.field_walk import Steps
from cluster_forge.graph.reference import Reference
from cluster_forge.graph.reference_field import ReferenceField
from cluster_forge.manifests import field_path, kubernetes_apis
from cluster_forge.manifests.facts import CRD, CRD_KIND
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.identity import ObjectId, group_of
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.scope import Scopes

_CONVERSION: Final = b'"spec":{"conversion":'
"""How the spec of a CRD begins that has a webhook: the keys are sorted, and most CRDs, the largest objects, have none."""
_GROUP: Final = b',"group":'
"""The member after it."""
_DOMAINS: Final = sorted({name.partition("/")[0] for name in (*custom_fields.ANNOTATIONS, *custom_fields.LABELS)})
_MARKS: Final = tuple(f'"{domain}/'.encode() for domain in _DOMAINS)
"""What an object has in it that names another one in a label or an annotation."""
_PEOPLE: Final = frozenset({"User", "Group"})
"""Subjects of a binding that are not objects."""

Extra = Mapping[tuple[str, str], tuple[ReferenceField, ...]]
"""Fields by the group and kind that have them."""
_NONE: Final[Extra] = MappingProxyType({})

FieldValue = tuple[ReferenceField, Any, tuple[Step, ...]]


def of(manifest: Manifest, scopes: Scopes, extra: Extra = _NONE) -> list[Reference]:
    """What ``manifest`` names, in the order of its fields; ``extra`` are fields of kinds that no table here has.

    Values of another type than they should have name nothing. An object's own namespace counts where a reference says none;
    where a cluster-scoped object names a namespaced one without its namespace, it is unknown which is meant: it is left out.
    """
    kind = (manifest.id.group, manifest.id.kind)
    is_custom = "." in kind[0] and not kubernetes_apis.is_built_in(kind[0])
    steps = _steps(kind, extra.get(kind, ()))
    marks = _is_marked(manifest)
    if steps is None and not is_custom and not marks:
        return []
    if kind == CRD:
        values = _of_crd(manifest, steps)
    else:
        values = list(steps.values(manifest.body)) if steps else []
        if is_custom:
            values += _inferred(manifest.body, {path for _, _, path in values})
    if marks:
        values += _marks(manifest)
    return [reference for one in values if (reference := _reference(manifest, one, scopes))]


@cache
def _steps(kind: tuple[str, str], extra: tuple[ReferenceField, ...]) -> Steps | None:
    fields = (*built_in_fields.FIELDS.get(kind, ()), *custom_fields.FIELDS.get(kind, ()), *extra)
    return Steps.of(fields) if fields else None


def _is_marked(manifest: Manifest) -> bool:
    """Whether an annotation or a label of the tables may be in the object."""
    content = manifest.document.json
    end = content.find(b'"spec":') if manifest.id.kind == CRD_KIND else -1  # the rest of a CRD has 2 MB
    return any(content.find(mark, 0, end if end >= 0 else len(content)) >= 0 for mark in _MARKS)


def _of_crd(manifest: Manifest, steps: Steps | None) -> list[FieldValue]:
    content = manifest.document.json
    start = content.find(_CONVERSION)
    if start < 0 or steps is None:
        return []
    start += len(_CONVERSION)
    try:  # the rest of the CRD is up to 2 MB
        spec = {"conversion": orjson.loads(content[start : content.find(_GROUP, start)])}
    except orjson.JSONDecodeError:
        spec = manifest.document.passing_body()["spec"]
    return list(steps.values({"spec": spec}))


def _marks(manifest: Manifest) -> Iterator[FieldValue]:
    metadata = mapping(manifest.header.get("metadata"))
    for member, table in (("annotations", custom_fields.ANNOTATIONS), ("labels", custom_fields.LABELS)):
        values = mapping(metadata.get(member))
        for name in (name for name in table if name in values):
            yield table[name], values[name], ("metadata", member, name)


def _inferred(body: Mapping[str, Any], known: set[tuple[Step, ...]]) -> Iterator[FieldValue]:
    """The fields of a custom resource whose names mean a reference in any API, without those that are ``known`` already."""
    for inner, path in field_walk.everything(mapping(body.get("spec")), ("spec",)):
        for name in (name for name in inner if name in custom_fields.BY_NAME):
            value, at = inner[name], (*path, name)
            entries = value if isinstance(value, list) else None
            places = [(value, at)] if entries is None else _entries(entries, at)
            yield from ((custom_fields.BY_NAME[name], one, where) for one, where in places if where not in known)


def _entries(entries: Iterable[Any], path: tuple[Step, ...]) -> list[tuple[Any, tuple[Step, ...]]]:
    return [(entry, (*path, field_walk.entry_step(entry, number))) for number, entry in enumerate(entries)]


def _reference(manifest: Manifest, named: FieldValue, scopes: Scopes) -> Reference | None:
    """The reference in the value of a field; None if it names nothing."""
    field, value, path = named
    members = mapping(value)
    if field.name in ("", "/"):
        name, namespace = (value, None) if field.name == "" else _split(value)
    else:
        name, namespace = members.get(field.name), members.get(field.namespace)
    if not isinstance(name, str) or not name:
        return None
    group, kind = _kind(field, members)
    if not kind or kind in _PEOPLE:
        return None
    place = _namespace(scopes, (group, kind), namespace, manifest.id)
    if place is None:
        return None
    return Reference(
        manifest=manifest,
        group=group,
        kind=kind,
        namespace=place,
        name=name,
        field=field_path.text((*path, field.name) if field.name not in ("", "/") else path),
        keys=_keys(members.get(field.keys)),
        is_optional=field.is_optional or members.get("optional") is True,
        is_inferred=field.path == "" and path[0] == "spec",
        strength=field.strength,
    )


def _split(value: Any) -> tuple[str | None, str | None]:
    namespace, slash, name = value.partition("/") if isinstance(value, str) else ("", "", "")
    return (name, namespace) if slash else (None, None)


def _kind(field: ReferenceField, values: Mapping[str, Any]) -> tuple[str, str]:
    """Group and kind: as the value says, else as the field means."""
    kind, _, group = field.to.partition(".")
    own = values.get(field.kind) if field.name not in ("", "/") else None
    if isinstance(own, str) and own:
        kind = own
        version = values.get("apiVersion")
        for text in (
            values.get("group"),
            values.get("apiGroup"),
            group_of(version) if isinstance(version, str) else None,
        ):
            if isinstance(text, str):
                return text, kind
    return group, kind


def _namespace(scopes: Scopes, named: tuple[str, str], namespace: Any, named_by: ObjectId) -> str | None:
    """The namespace of the named object, empty for a cluster-scoped kind; None if it is unknown.

    Kinds that neither the target nor the stack defines are cluster-scoped if they are called so: ``ClusterIssuer``, classes.
    """
    _, kind = named
    is_namespaced = scopes.is_namespaced(*named)
    if is_namespaced is None:
        is_namespaced = kind == "Cluster" or (not kind.startswith("Cluster") and not kind.endswith("Class"))
    if not is_namespaced:
        return ""
    return namespace if isinstance(namespace, str) and namespace else named_by.namespace or None


def _keys(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    keys = (mapping(item).get("key") for item in sequence(value))
    return tuple(key for key in keys if isinstance(key, str))
