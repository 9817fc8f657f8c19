"""Schemas of CRDs are structural: the API server knows the type of every field without evaluating anything.

Sources: Kubernetes, "Specifying a structural schema"; apiextensions-apiserver, ``pkg/apiserver/schema/validation.go`` and
``pkg/apis/apiextensions/validation``. Schemas are large (a stack has half a million nodes), so they are walked in one loop,
and a way to a node is written down only where something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from cluster_forge.checks.custom_resources import patterns, schema_defaults
from cluster_forge.checks.kubernetes_objects.problem import Problem, shown
from cluster_forge.foundation.names import nearest
from cluster_forge.manifests.field_path import Step

_Place: TypeAlias = "tuple[_Place, Step] | None"

_TYPES: Final = frozenset({"array", "boolean", "integer", "number", "object", "string"})
_SCALARS: Final = frozenset({"boolean", "integer", "number", "string"})
_SIMPLE: Final = frozenset({"default", "description", "enum", "format", "maxLength", "minLength", "minimum", "type"})
_PLAIN: Final = frozenset(
    {
        "$schema",
        "default",
        "description",
        "enum",
        "example",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "externalDocs",
        "format",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "nullable",
        "required",
        "title",
        "type",
        "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-map-type",
        "x-kubernetes-validations",
        "allOf",
        "anyOf",
        "items",
        "not",
        "oneOf",
        "properties",
    }
)
"""Keywords that need no look of their own: they are looked at together with others, or there are schemas below them."""
_NOT_SUPPORTED: Final = frozenset({"$ref", "additionalItems", "definitions", "dependencies", "id", "patternProperties"})
_NOT_IN_CHOICES: Final = frozenset(
    {
        "additionalProperties",
        "default",
        "description",
        "nullable",
        "title",
        "type",
        "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
    }
)
_CHOICES: Final = frozenset({"allOf", "anyOf", "oneOf"})
_INT_OR_STRING: Final = [{"type": "integer"}, {"type": "string"}]


_Node: TypeAlias = tuple[Any, _Place, bool]
"""A schema, the way to it, and whether it stands in a choice (allOf, anyOf, oneOf, not)."""
_Complaint: TypeAlias = tuple[str, str] | None
"""What is wrong, and how to mend it."""


def problems(schema: Any, steps: tuple[Step, ...]) -> Iterator[Problem]:
    """What is wrong with the schema of a version, which ``steps`` lead to."""
    start: _Place = None
    for step in steps:
        start = (start, step)
    if isinstance(schema, Mapping) and schema.get("type") not in ("object", None, ""):
        yield _problem((start, "type"), "the type of the root must be object", "write type: object")
    waiting: list[_Node] = [(schema, start, False)]
    while waiting:
        node, place, is_choice = waiting.pop()
        if type(node) is not dict or not isinstance(node.get("type", ""), str):
            yield _problem(place, "the schema must be a mapping with a type", "write one")
            continue
        if not is_choice and node.get("default") is not None:
            for message, fix in schema_defaults.complaints(node):
                yield _problem((place, "default"), message, fix)
        if is_choice or node.get("type") not in _SCALARS or not _SIMPLE.issuperset(node):  # not so for most nodes
            waiting += _below(node, place, is_choice=is_choice)
            for key in node:
                if key not in _PLAIN:
                    yield from _keyword(key, node, place)
            yield from _in_choice(node, place) if is_choice else _in_structure(node, place)


def _below(node: Mapping[str, Any], place: _Place, *, is_choice: bool) -> list[_Node]:
    """The schemas in a schema."""
    nodes: list[_Node] = []
    for key, value in node.items():
        if key == "properties":
            if type(value) is dict:
                below = (place, key)
                nodes += [(inner, (below, name), is_choice) for name, inner in value.items()]
        elif key == "items" or (key == "additionalProperties" and type(value) is dict):
            nodes.append((value, (place, key), is_choice))
        elif key == "not":
            nodes.append((value, (place, key), True))
        elif key in _CHOICES and isinstance(value, list) and not (key == "anyOf" and _is_int_or_string(node, value)):
            below = (place, key)
            nodes += [(_without_types(key, option, node), (below, at), True) for at, option in enumerate(value)]
    return nodes


def _keyword(key: str, node: Mapping[str, Any], place: _Place) -> Iterator[Problem]:
    """What is wrong with the use of a keyword that has no schema below."""
    value = node[key]
    if key in _RULES:
        if complaint := _RULES[key](value, node):
            yield _problem((place, key), *complaint)
    elif key in _NOT_SUPPORTED:
        yield _problem((place, key), f"{key} is not supported in a CRD", f"write it without {key}")
    elif key == "x-kubernetes-list-type":
        yield from _list_type(value, node, place)
    else:
        near = nearest(key, _PLAIN | {"pattern"})
        hint = f", did you mean {near}?" if near else ""
        yield _problem(
            (place, key), f"unknown field {key}{hint}", f"write {near}, or remove it" if near else "remove it"
        )


def _pattern(value: Any, _: Mapping[str, Any]) -> _Complaint:
    reason = patterns.problem(value) if isinstance(value, str) else ""
    return (f"the pattern {shown(value)} does not compile: {reason}", "write it as Go reads it") if reason else None


def _unique_items(value: Any, _: Mapping[str, Any]) -> _Complaint:
    if value is not True:
        return None
    return "uniqueItems cannot be true in a CRD", "remove it, or write x-kubernetes-list-type: set"


def _additional(value: Any, node: Mapping[str, Any]) -> _Complaint:
    if value is True or not node.get("properties"):
        return None
    return "additionalProperties does not go with properties", "remove one of the two"


def _preserve(value: Any, _: Mapping[str, Any]) -> _Complaint:
    return None if value is True else ("x-kubernetes-preserve-unknown-fields is either true or not there", "remove it")


def _in_structure(node: Mapping[str, Any], place: _Place) -> Iterator[Problem]:
    kind = node.get("type")
    if kind in _TYPES if isinstance(kind, str) else False:
        if kind == "array" and "items" not in node:
            yield _problem((place, "items"), "a list has a schema of its entries", "set items")
    elif kind in (None, ""):
        if not (
            node.get("x-kubernetes-int-or-string") is True or node.get("x-kubernetes-preserve-unknown-fields") is True
        ):
            fix = "set type, or x-kubernetes-preserve-unknown-fields: true"
            yield _problem((place, "type"), "type is missing: the schema is not structural", fix)
    else:
        yield _problem((place, "type"), f"{shown(kind)} is none of {', '.join(sorted(_TYPES))}", "write one of them")
    if node.get("x-kubernetes-map-type") is not None and kind != "object":
        yield _problem((place, "x-kubernetes-map-type"), "x-kubernetes-map-type needs type: object", "remove it")


def _in_choice(node: Mapping[str, Any], place: _Place) -> Iterator[Problem]:
    if _NOT_IN_CHOICES.isdisjoint(node):
        return
    for key in sorted(_NOT_IN_CHOICES & node.keys()):
        if node[key] not in (None, "", False, []):
            message = f"{key} does not stand within allOf, anyOf, oneOf or not: the schema is not structural"
            yield _problem((place, key), message, f"move {key} out of the choice")


def _list_type(value: Any, node: Mapping[str, Any], place: _Place) -> Iterator[Problem]:
    key = "x-kubernetes-list-type"
    if value not in ("atomic", "map", "set"):
        yield _problem((place, key), f"{shown(value)} is none of atomic, map, set", "write one of them")
    elif node.get("type") != "array":
        yield _problem((place, key), f"{key} needs type: array", "remove it")
    elif value == "map":
        yield from _list_keys(node, place)


def _list_keys(node: Mapping[str, Any], place: _Place) -> Iterator[Problem]:
    steps = (place, "x-kubernetes-list-map-keys")
    keys, items = node.get("x-kubernetes-list-map-keys"), node.get("items")
    if not isinstance(keys, list) or not keys:
        yield _problem(steps, "a list of type map has keys", "set x-kubernetes-list-map-keys")
        return
    if not isinstance(items, Mapping) or items.get("type") != "object":
        yield _problem(
            ((place, "items"), "type"), "the entries of a list of type map are mappings", "write type: object"
        )
        return
    properties = items.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    for key in keys:
        if not isinstance(key, str) or key not in known:
            yield _problem(steps, f"the key {shown(key)} is not a property of the entries", "name a property of items")
        elif isinstance(known[key], Mapping) and known[key].get("type") in ("array", "object"):
            yield _problem(steps, f"the key {shown(key)} is not a scalar", "name a property of items that is one")


def _is_int_or_string(node: Mapping[str, Any], options: list[Any]) -> bool:
    return node.get("x-kubernetes-int-or-string") is True and options == _INT_OR_STRING


def _without_types(key: str, option: Any, node: Mapping[str, Any]) -> Any:
    """An entry of allOf without the choice of types that goes with int-or-string."""
    if key != "allOf" or not isinstance(option, Mapping) or not isinstance(option.get("anyOf"), list):
        return option
    if not _is_int_or_string(node, option["anyOf"]):
        return option
    return {name: value for name, value in option.items() if name != "anyOf"}


def _problem(place: _Place, message: str, fix: str) -> Problem:
    steps: list[Step] = []
    while place is not None:
        place, step = place
        steps.append(step)
    return Problem(steps=tuple(reversed(steps)), message=message, fix=fix)


_RULES: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], _Complaint]]] = {
    "additionalProperties": _additional,
    "pattern": _pattern,
    "uniqueItems": _unique_items,
    "x-kubernetes-preserve-unknown-fields": _preserve,
}
