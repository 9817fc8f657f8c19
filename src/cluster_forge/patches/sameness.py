"""Whether two values of a tree are the same: Python takes ``True``, ``1`` and ``1.0`` for equal, JSON and YAML do not."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

import orjson


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent.ABSENT
"""In the place of a value: there is none. ``None`` is a value, YAML's ``null``."""


def same(one: Any, other: Any) -> bool:
    """Whether both are the same value, of the same types; the order of a mapping's keys does not matter."""
    return one is other or (type(one) is type(other) and one == other and _same_types(one, other))


def alike(one: Any, other: Any) -> bool:
    """Whether both mean the same to Kubernetes: ``1`` and ``1.0``, ``null`` and no value at all."""
    if _is_nothing(one) or _is_nothing(other):
        return _is_nothing(one) and _is_nothing(other)
    return equal_in_json(one, other)


def equal_in_json(one: Any, other: Any) -> bool:
    """Whether both are the same JSON, where ``1`` and ``1.0`` are the same number (RFC 6902, 4.6)."""
    return bool(one == other) and _have_same_types(one, other, _same_json_type)


def _is_nothing(value: Any) -> bool:
    return value is None or value is ABSENT


def _same_types(one: Any, other: Any) -> bool:
    """Of equal values, whether their types are the same everywhere."""
    if not isinstance(one, dict | list):
        return True
    try:
        return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # integers above 64 bits, nesting of more than 254 levels
        return _have_same_types(one, other, lambda left, right: type(left) is type(right))


def _have_same_types(one: Any, other: Any, is_same: Callable[[Any, Any], bool]) -> bool:
    """Of equal values, whether each has the same type as the one in its place."""
    waiting = [(one, other)]
    while waiting:
        left, right = waiting.pop()
        if not is_same(left, right):
            return False
        if isinstance(left, dict):
            waiting += ((value, right[key]) for key, value in left.items())
        elif isinstance(left, list):
            waiting += zip(left, right, strict=True)
    return True


def _same_json_type(one: Any, other: Any) -> bool:
    return type(one) is type(other) or {type(one), type(other)} == {int, float}
