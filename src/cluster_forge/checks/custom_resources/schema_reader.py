"""Reading a custom resource by the schema of its CRD, as the API server does.

Sources: Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions"; apiextensions-apiserver,
``pkg/apiserver/schema`` (pruning, list types, embedded objects) and ``pkg/apiserver/validation``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.checks.custom_resources import constraints
from cluster_forge.checks.custom_resources.defaults import DEEPEST
from cluster_forge.checks.kubernetes_objects.problem import Problem
from cluster_forge.foundation.names import nearest
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import list_keys
from cluster_forge.manifests.field_path import Step

CODE: Final = "custom-resource-invalid"
_IMPLICIT: Final = frozenset({"apiVersion", "kind", "metadata"})
_TYPES: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}

Schema = Mapping[str, Any]
Steps = tuple[Step, ...]


def problems(value: Any, schema: Schema, steps: Steps = (), *, is_object: bool = True) -> Iterator[Problem]:
    """The problems of a value that has its defaults (`defaults.completed`); ``is_object``: it has apiVersion, kind, metadata."""
    if len(steps) > DEEPEST:
        return
    if value is None and schema.get("nullable"):
        return
    expected = _expected(value, schema)
    if expected:
        yield _problem(steps, f"{_name(steps)} must be {expected}, and is {_word(value)}", f"write {expected}")
        return
    for complaint in constraints.complaints(value, schema):
        yield _problem(
            (*steps, *complaint.steps), f"{_name((*steps, *complaint.steps))} {complaint.message}", complaint.fix
        )
    if isinstance(value, dict):
        is_embedded = is_object or schema.get("x-kubernetes-embedded-resource") is True
        yield from _fields(value, schema, steps, implicit=_IMPLICIT if is_embedded else frozenset())
    elif isinstance(value, list):
        yield from _entries(value, schema, steps)


def _fields(value: Mapping[str, Any], schema: Schema, steps: Steps, implicit: frozenset[str]) -> Iterator[Problem]:
    properties = mapping(schema.get("properties"))
    others = schema.get("additionalProperties")
    takes_all = others is True or schema.get("x-kubernetes-preserve-unknown-fields") is True
    for name, inner in value.items():
        if name in implicit:
            continue
        if name in properties:
            yield from problems(inner, mapping(properties[name]), (*steps, name), is_object=False)
        elif isinstance(others, Mapping):
            yield from problems(inner, others, (*steps, name), is_object=False)
        elif not takes_all:
            yield _unknown(name, properties, steps)


def _entries(entries: Sequence[Any], schema: Schema, steps: Steps) -> Iterator[Problem]:
    items = mapping(schema.get("items"))
    keys = [key for key in sequence(schema.get("x-kubernetes-list-map-keys")) if isinstance(key, str)]
    seen: set[str] = set()
    kind = schema.get("x-kubernetes-list-type")
    for number, entry in enumerate(entries):
        yield from problems(entry, items, (*steps, _step(number, entry, keys)), is_object=False)
        key = _key(entry, keys) if kind == "map" else list_keys.text(entry) if kind == "set" else ""
        if key and key in seen:
            yield _problem((*steps, number), f"{key} is in the list twice", "remove one of the two")
        seen.add(key)


def _key(entry: Any, keys: Sequence[str]) -> str:
    if not isinstance(entry, dict) or any(isinstance(entry.get(key), dict | list) for key in keys):
        return ""
    return ", ".join(f"{key} {list_keys.text(entry.get(key))}" for key in keys)


def _step(number: int, entry: Any, keys: Sequence[str]) -> Step:
    named = mapping(entry).get(keys[0]) if keys else None
    if isinstance(named, str | int) and not isinstance(named, bool):
        return ((keys[0], list_keys.text(named)),)
    return number


def _expected(value: Any, schema: Schema) -> str:
    """What a value of another type should be; empty for one of its type."""
    if schema.get("x-kubernetes-int-or-string") is True:
        is_right = isinstance(value, str) or constraints.is_type(value, "integer")
        return "" if is_right else "a whole number or text"
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _TYPES or constraints.is_type(value, kind):
        return ""
    return _TYPES[kind]


def _unknown(name: str, properties: Mapping[str, Any], steps: Steps) -> Problem:
    near = next((other for other in properties if other.lower() == name.lower()), None) or nearest(name, properties)
    hint = f", did you mean {near}?" if near else ""
    fix = f"write {near}, or remove it" if near else "remove it, or use a CRD that has it"
    return _problem((*steps, name), f"unknown field {name}{hint}", fix)


def _problem(steps: Steps, message: str, fix: str) -> Problem:
    return Problem(steps=steps, message=message, fix=fix, code=CODE)


def _name(steps: Steps) -> str:
    return next((step for step in reversed(steps) if isinstance(step, str)), "the object")


def _word(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
    return "a list" if isinstance(value, list) else "a mapping"
