"""A custom resource as the API server validates it: with the defaults of its schema, without nulls that are not nullable.

Source: apiextensions-apiserver, ``pkg/apiserver/schema/defaulting`` (``Default``, ``PruneNonNullableNullsWithoutDefaults``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.field_path import Step

DEEPEST: Final = 100
"""Levels of an object that are read."""


def completed(value: Any, schema: Mapping[str, Any], depth: int = 0) -> Any:
    """The value with its defaults; parts without any are shared with the original."""
    if depth > DEEPEST:
        return value
    if isinstance(value, dict):
        return _mapping(value, schema, depth)
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, Mapping):
        return [completed(entry, items, depth + 1) for entry in value]
    return value


def is_from_default(value: Any, schema: Mapping[str, Any], steps: Sequence[Step]) -> bool:
    """Whether the part of the `completed` value that ``steps`` lead to is not in the value itself, but from a default."""
    for step in steps:
        if isinstance(value, dict) and isinstance(step, str):
            others = mapping(schema.get("additionalProperties"))
            below = mapping(mapping(schema.get("properties")).get(step, others))
            value = value.get(step)
            if value is None and not below.get("nullable"):
                return below.get("default") is not None
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            below, value = mapping(schema.get("items")), value[step]
        else:
            return False
        schema = below
    return False


def _mapping(value: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
    properties = mapping(schema.get("properties"))
    others = mapping(schema.get("additionalProperties"))
    result: dict[str, Any] = {}
    for name, inner in value.items():
        below = mapping(properties.get(name, others))
        if inner is None and below and not below.get("nullable"):
            continue  # dropped; the default comes in its place
        result[name] = completed(inner, below, depth + 1) if below else inner
    for name, below in properties.items():
        if name not in result and isinstance(below, Mapping) and below.get("default") is not None:
            result[name] = completed(below["default"], below, depth + 1)
    return result
