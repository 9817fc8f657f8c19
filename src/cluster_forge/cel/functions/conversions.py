"""Conversions between types ("Language Definition", section "List of Standard Definitions")."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions.overloads import ANY, Overload, Table
from cluster_forge.cel.times import SECOND, Duration, Timestamp
from cluster_forge.cel.values import TYPES, Type, UInt, integer, type_name, unsigned

_INTEGER: Final = re.compile(r"-?\d{1,20}", re.ASCII)
_UNSIGNED: Final = re.compile(r"\d{1,20}", re.ASCII)
_DOUBLE: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?|[+-]?(?:inf|infinity|nan)", re.ASCII | re.I)
_LONGEST: Final = 1000
"""Characters of a number."""
_TRUE: Final = frozenset(["1", "t", "T", "TRUE", "true", "True"])
_FALSE: Final = frozenset(["0", "f", "F", "FALSE", "false", "False"])
_LARGEST: Final = 2.0**63
_LARGEST_UNSIGNED: Final = 2.0**64


def _number(text: str, grammar: re.Pattern[str], kind: str) -> str:
    if len(text) > _LONGEST or not grammar.fullmatch(text):
        raise EvaluationError(f"{text[:50]!r} is not {kind}")
    return text


def _of_double(value: float) -> int:
    if math.isnan(value) or not -_LARGEST < value < _LARGEST:
        raise EvaluationError("the number does not fit into an integer")
    return int(value)


def _unsigned_of_double(value: float) -> UInt:
    if math.isnan(value) or not 0 <= value < _LARGEST_UNSIGNED:
        raise EvaluationError("the number does not fit into an unsigned integer")
    return UInt(int(value))


def _boolean(_budget: Budget, text: str) -> bool:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise EvaluationError(f"{text[:50]!r} is neither true nor false")


def _decoded(budget: Budget, value: bytes) -> str:
    budget.traverse(len(value))
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise EvaluationError("the bytes are not UTF-8") from error


def double_text(value: float) -> str:
    """A number as Go writes it (``strconv.FormatFloat`` with format ``g``, as cel-go does)."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text.removesuffix(".0")
    return f"{mantissa.removesuffix('.0')}e{exponent}"


def _type(_budget: Budget, value: Any) -> Type:
    name = type_name(value)
    return TYPES.get(name, Type(name))


def _same(_budget: Budget, value: Any) -> Any:
    return value


def _of(kind: type, convert: Callable[[Any], Any]) -> Overload:
    return Overload((kind,), lambda _, value: convert(value))


MEMBERS: Final[Table] = {}
GLOBALS: Final[Table] = {
    "bool": [_of(bool, bool), Overload((str,), _boolean)],
    "int": [
        _of(int, int),
        _of(UInt, lambda value: integer(int(value))),
        _of(float, _of_double),
        _of(str, lambda text: integer(int(_number(text, _INTEGER, "an integer")))),
        _of(Timestamp, lambda time: time.nanoseconds // SECOND),
    ],
    "uint": [
        Overload((UInt,), _same),
        _of(int, unsigned),
        _of(float, _unsigned_of_double),
        _of(str, lambda text: unsigned(int(_number(text, _UNSIGNED, "an unsigned integer")))),
    ],
    "double": [
        _of(float, float),
        _of(int, float),
        _of(UInt, float),
        _of(str, lambda text: float(_number(text, _DOUBLE, "a number"))),
    ],
    "string": [
        _of(str, str),
        _of(int, str),
        _of(UInt, lambda value: str(int(value))),
        _of(float, double_text),
        _of(bool, lambda value: str(value).lower()),
        Overload((bytes,), _decoded),
        _of(Duration, str),
        _of(Timestamp, str),
    ],
    "bytes": [_of(bytes, bytes), _of(str, str.encode)],
    "duration": [Overload((Duration,), _same), _of(str, Duration.parse)],
    "timestamp": [
        Overload((Timestamp,), _same),
        _of(str, Timestamp.parse),
        _of(int, lambda seconds: Timestamp.of(seconds * SECOND)),
    ],
    "dyn": [Overload((ANY,), _same)],
    "type": [Overload((ANY,), _type)],
}
