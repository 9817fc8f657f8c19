"""Label selectors: whether labels are among those that one selects.

Source: Kubernetes API, ``LabelSelector`` (``matchLabels``, ``matchExpressions``); an empty selector selects everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.foundation.untyped import mapping, sequence

_NAME: Final = "kubernetes.io/metadata.name"
"""The label that each namespace has."""


def is_empty(selector: Any) -> bool:
    """Whether a selector has no requirement, or is none."""
    requirements = mapping(selector)
    return not mapping(requirements.get("matchLabels")) and not sequence(requirements.get("matchExpressions"))


def names_a_label(selector: Any) -> bool:
    """Whether what is selected has a label for it: ``sidecar: enabled``, and not only no label against it, or a name."""
    return bool(required_keys(selector) - {_NAME})


def required_keys(selector: Any) -> set[str]:
    """The labels that everything has which a selector selects."""
    requirements = mapping(selector)
    expressions = map(mapping, sequence(requirements.get("matchExpressions")))
    present = {str(one.get("key")) for one in expressions if one.get("operator") in ("In", "Exists")}
    return {*mapping(requirements.get("matchLabels")), *present}


def labels_of(value: object) -> Mapping[str, str]:
    """The labels of ``metadata`` or of a Pod template's: those that are texts."""
    labels = mapping(mapping(value).get("labels"))
    return {name: text for name, text in labels.items() if isinstance(text, str)}


def matches(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether the selector selects ``labels``; one that is empty or missing does, a requirement that is none does not."""
    requirements = mapping(selector)
    wanted = mapping(requirements.get("matchLabels"))
    return all(key in labels and labels[key] == value for key, value in wanted.items()) and all(
        _holds(mapping(expression), labels) for expression in sequence(requirements.get("matchExpressions"))
    )


def can_both_match(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether something can have the labels of both: no name has two values."""
    return all(other.get(name, value) == value for name, value in one.items())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, values = str(expression.get("key")), sequence(expression.get("values"))
    match expression.get("operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
