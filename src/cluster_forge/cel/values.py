"""The values of expressions: their types, when they are equal, and their order ("Language Definition", section "Values").

``int``, ``bool``, ``double``, ``string``, ``bytes``, ``null``, lists and maps are those of Python. Maps have keys that
are text where they come from objects.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.times import Duration, Timestamp

LARGEST_INT: Final = (1 << 63) - 1
SMALLEST_INT: Final = -(1 << 63)
LARGEST_UINT: Final = (1 << 64) - 1


class UInt(int):
    """An integer without sign."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Type:
    """A type as a value: what ``type(…)`` gives."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be absent."""

    value: Any = None
    is_present: bool = False


NONE: Final = Optional()


def some(value: object) -> Optional:
    """A value that is present."""
    return Optional(value, is_present=True)


_NAMES: Final[Mapping[type, str]] = {
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null_type",
    list: "list",
    tuple: "list",
    dict: "map",
    Type: "type",
    Optional: "optional_type",
    Duration: "google.protobuf.Duration",
    Timestamp: "google.protobuf.Timestamp",
}
TYPES: Final = {name: Type(name) for name in _NAMES.values() if "." not in name}
"""The types that have a name in expressions."""

_NUMBERS: Final = frozenset([int, UInt, float])
_COMPARED: Final = 1000
"""Characters or bytes that are compared for one unit."""


def type_name(value: object) -> str:
    """The name of a value's type."""
    name = _NAMES.get(type(value))
    if name:
        return name
    return "map" if isinstance(value, Mapping) else getattr(type(value), "TYPE_NAME", type(value).__name__)


def equal(left: object, right: object, budget: Budget) -> bool:
    """Whether two values are equal; values of different types are not, but numbers compare by value."""
    one, other = type(left), type(right)
    if one in _NUMBERS and other in _NUMBERS:
        return left == right
    if isinstance(left, str | bytes):
        budget.spend(len(left) // _COMPARED)
        return one is other and left == right
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        budget.spend(len(left))
        return len(left) == len(right) and all(equal(*pair, budget) for pair in zip(left, right, strict=True))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        budget.spend(len(left))
        return len(left) == len(right) and all(key in right and equal(left[key], right[key], budget) for key in left)
    if isinstance(left, Optional) and isinstance(right, Optional):
        return left.is_present == right.is_present and (not left.is_present or equal(left.value, right.value, budget))
    return one is other and left == right


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1.

    Raises:
        EvaluationError: if the values have no order.
    """
    one, other = type(left), type(right)
    is_ordered = one is other and one in _ORDERED
    if not is_ordered and not (one in _NUMBERS and other in _NUMBERS):
        raise EvaluationError(f"{type_name(left)} and {type_name(right)} have no order")
    if (one is float and math.isnan(left)) or (other is float and math.isnan(right)):
        raise EvaluationError("a number is not a number")
    return int(left > right) - int(left < right)


_ORDERED: Final = frozenset([bool, str, bytes, Duration, Timestamp])


def integer(number: int) -> int:
    """The number, if it fits into 64 bits.

    Raises:
        EvaluationError: if it does not.
    """
    if not SMALLEST_INT <= number <= LARGEST_INT:
        raise EvaluationError("the integer has more than 64 bits")
    return number


def unsigned(number: int) -> UInt:
    """The number without sign, if it fits into 64 bits.

    Raises:
        EvaluationError: if it does not.
    """
    if not 0 <= number <= LARGEST_UINT:
        raise EvaluationError("the unsigned integer is negative, or has more than 64 bits")
    return UInt(number)


def size(value: object) -> int:
    """How many characters, bytes or entries a value has; 1 of another one."""
    return len(value) if isinstance(value, str | bytes | list | tuple | Mapping) else 1
