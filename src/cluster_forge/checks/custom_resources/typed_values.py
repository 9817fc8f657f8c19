"""The values of a custom resource as CEL sees them: by the types of its CRD's structural schema, with its defaults.

Source: Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions", section "Validation rules"; ``k8s.io/apiextensions-apiserver``, ``pkg/apiserver/schema/cel``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.times import Duration, Timestamp
from cluster_forge.checks.custom_resources import defaults
from cluster_forge.foundation.untyped import mapping


def typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value with the types of the schema, and its defaults where a field is absent."""
    return _typed(defaults.completed(value, schema), schema, 0)


def _typed(value: Any, schema: Mapping[str, Any], depth: int) -> Any:
    if not schema or depth > defaults.DEEPEST:
        return value
    if isinstance(value, Mapping):
        properties, others = mapping(schema.get("properties")), mapping(schema.get("additionalProperties"))
        below = {key: mapping(properties.get(key, others)) for key in value}
        return {key: _typed(entry, below[key], depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        items = mapping(schema.get("items"))
        return [_typed(entry, items, depth + 1) for entry in value]
    if schema.get("type") == "number" and type(value) is int:
        return float(value)
    return _text(value, schema) if isinstance(value, str) else value


def _text(value: str, schema: Mapping[str, Any]) -> Any:
    form = schema.get("format")
    convert = _FORMATS.get(form) if isinstance(form, str) else None
    if convert is None:
        return value
    try:
        return convert(value)
    except (EvaluationError, ValueError):
        return value  # the schema itself refuses it


_FORMATS: Final[Mapping[str, Callable[[str], Any]]] = {
    "byte": lambda text: base64.b64decode(text, validate=True),
    "date": lambda text: Timestamp.parse(f"{text}T00:00:00Z"),
    "date-time": Timestamp.parse,
    "duration": Duration.parse,
}
