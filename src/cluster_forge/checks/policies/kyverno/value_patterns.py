"""One value against one pattern: ``>= 2 & <= 5``, ``!*:latest``, ``?*``, ``10-20`` (kyverno, ``pkg/engine/pattern``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.times import Duration
from cluster_forge.checks.policies.kyverno import wildcards
from cluster_forge.foundation import quantity

_NUMBER: Final = r"[-|+]?\d+(?:\.\d+)?[A-Za-z]*"
_BETWEEN: Final = re.compile(rf"({_NUMBER})-({_NUMBER})")
_OUTSIDE: Final = re.compile(rf"({_NUMBER})!-({_NUMBER})")
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
    "!": lambda one, other: one != other,
    "": lambda one, other: one == other,
}
"""The longer one first where one begins as another does."""
_LONGEST: Final = 100
"""Characters of a number."""


def holds(value: object, pattern: object) -> bool:
    """Whether a scalar is as a pattern says."""
    if isinstance(pattern, str):
        return value == pattern or any(_all(value, part) for part in pattern.split("|"))
    if isinstance(pattern, bool):
        return value is pattern
    if isinstance(pattern, int | float):
        return _number(value) == pattern
    return not value and not isinstance(value, Mapping | list)


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value) if isinstance(value, int | float | str) and len(str(value)) <= _LONGEST else None
    except ValueError:
        return None


def _all(value: object, pattern: str) -> bool:
    return all(_one(value, part.strip(" ")) for part in pattern.split("&"))


def _one(value: object, pattern: str) -> bool:
    if match := _OUTSIDE.fullmatch(pattern):
        return _compared(value, match[1], "<") or _compared(value, match[2], ">")
    if match := _BETWEEN.fullmatch(pattern):
        return _compared(value, match[1], ">=") and _compared(value, match[2], "<=")
    operator = next(mark for mark in _OPERATORS if pattern.startswith(mark))
    return _compared(value, pattern[len(operator) :].strip(), operator)


def _compared(value: object, pattern: str, operator: str) -> bool:
    """As durations, as quantities, or as text with wildcards: the first that both are."""
    text = "0" if value is None else "" if isinstance(value, bool) else str(value)
    if isinstance(value, str | int | float | None) and text:
        for parse in (_duration, _quantity):
            wanted, own = parse(pattern), parse(text)
            if wanted is not None and own is not None:
                return _OPERATORS[operator](own, wanted)
    if operator not in ("", "!") or value is None or isinstance(value, Mapping | list):
        return False
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return wildcards.matches(pattern, shown) is (operator == "")


def _duration(text: str) -> int | None:
    try:
        return Duration.parse(text).nanoseconds
    except EvaluationError:
        return None


def _quantity(text: str) -> Decimal | None:
    try:
        return quantity.parse(text) if len(text) <= _LONGEST else None
    except (ValueError, ArithmeticError):
        return None
