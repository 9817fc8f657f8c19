"""Label selectors, as the API server reads them; what is not one selects nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster_forge.foundation.untyped import mapping, sequence


def labels_of(value: object) -> Mapping[str, str]:
    """The labels of ``metadata`` or of a Pod template's: those that are texts."""
    labels = mapping(mapping(value).get("labels"))
    return {name: text for name, text in labels.items() if isinstance(text, str)}


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector selects what has the labels; an empty one selects everything (Kubernetes API, "LabelSelector")."""
    wanted = mapping(selector.get("matchLabels"))
    return all(labels.get(name) == value for name, value in wanted.items()) and all(
        _agrees(mapping(expression), labels) for expression in sequence(selector.get("matchExpressions"))
    )


def _agrees(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator = expression.get("key"), expression.get("operator")
    value = labels.get(key) if isinstance(key, str) else None
    if operator in ("In", "NotIn"):
        return (value in sequence(expression.get("values"))) is (operator == "In")
    return (value is not None) is (operator == "Exists")


def can_both_match(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether something can have the labels of both: no name has two values."""
    return all(other.get(name, value) == value for name, value in one.items())
