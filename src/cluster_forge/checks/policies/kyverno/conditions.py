"""Conditions of rules: ``key``, ``operator`` and ``value``, all or any of them (kyverno, ``pkg/engine/variables/operator``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cluster_forge.cel.errors import UnsupportedError
from cluster_forge.checks.policies.kyverno import paths, value_patterns, wildcards
from cluster_forge.foundation.untyped import mapping, sequence


def hold(conditions: object, names: Mapping[str, Any]) -> bool:
    """Whether conditions hold; a list of them is one of which all must.

    Raises:
        UnsupportedError: for one that cannot be evaluated here.
    """
    if isinstance(conditions, list):
        return all(_block(mapping(block), names) for block in conditions)
    return _block(mapping(conditions), names)


def _block(block: Mapping[str, Any], names: Mapping[str, Any]) -> bool:
    if "key" in block:
        return _holds(block, names)
    every = [_holds(mapping(one), names) for one in sequence(block.get("all"))]
    some = [_holds(mapping(one), names) for one in sequence(block.get("any"))]
    return all(every) and (not some or any(some))


def _holds(condition: Mapping[str, Any], names: Mapping[str, Any]) -> bool:
    operator = str(condition.get("operator", "")).lower()
    if operator not in _OPERATORS:
        raise UnsupportedError(f"the operator {condition.get('operator')!r}")
    key = paths.resolved(condition.get("key"), names)
    if key is None:
        raise UnsupportedError(f"{condition.get('key')} is not there")
    return _OPERATORS[operator](key, paths.resolved(condition.get("value"), names))


def _texts(value: Any) -> list[str]:
    entries = value if isinstance(value, list) else [value]
    return [str(entry).lower() if isinstance(entry, bool) else str(entry) for entry in entries if entry is not None]


def _is_in(text: str, values: Any) -> bool:
    return wildcards.is_among(text, _texts(values))


def _equals(key: Any, value: Any) -> bool:
    if isinstance(key, Mapping | list) or isinstance(value, Mapping | list):
        return bool(key == value)
    if isinstance(key, str) and isinstance(value, str):
        return wildcards.matches(value, key)
    return value_patterns.holds(key, value)


def _ordered(mark: str) -> Callable[[Any, Any], bool]:
    def compare(key: Any, value: Any) -> bool:
        if isinstance(key, Mapping | list) or isinstance(value, Mapping | list):
            raise UnsupportedError("an order of lists or mappings")
        return value_patterns.holds(key, f"{mark}{value}")

    return compare


_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "equals": _equals,
    "equal": _equals,
    "notequals": lambda key, value: not _equals(key, value),
    "notequal": lambda key, value: not _equals(key, value),
    "anyin": lambda key, value: any(_is_in(text, value) for text in _texts(key)),
    "allin": lambda key, value: all(_is_in(text, value) for text in _texts(key)),
    "in": lambda key, value: all(_is_in(text, value) for text in _texts(key)),
    "anynotin": lambda key, value: any(not _is_in(text, value) for text in _texts(key)),
    "allnotin": lambda key, value: all(not _is_in(text, value) for text in _texts(key)),
    "notin": lambda key, value: any(not _is_in(text, value) for text in _texts(key)),
    "greaterthan": _ordered(">"),
    "greaterthanorequals": _ordered(">="),
    "lessthan": _ordered("<"),
    "lessthanorequals": _ordered("<="),
}
