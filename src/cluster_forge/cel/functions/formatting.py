"""``"…".format([…])`` (cel-go, ``ext.Strings``): ``%s``, ``%d``, ``%f``, ``%e``, ``%b``, ``%o``, ``%x``, ``%X``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions.conversions import double_text
from cluster_forge.cel.times import Duration, Timestamp
from cluster_forge.cel.values import Type, UInt, type_name

_CLAUSE: Final = re.compile(r"%(?:\.(\d{1,3}))?(.?)", re.DOTALL)
_DEFAULT_PRECISION: Final = 6


def formatted(template: str, values: Sequence[Any], budget: Budget) -> str:
    """The template with the values in their places.

    Raises:
        EvaluationError: for a clause without its value, or one of a type that does not fit.
    """
    rest = iter(values)

    def replaced(match: re.Match[str]) -> str:
        precision, clause = match.groups()
        if clause == "%" and not precision:
            return "%"
        if clause not in _CLAUSES:
            raise EvaluationError(f"unknown clause %{clause}")
        try:
            value = next(rest)
        except StopIteration:
            raise EvaluationError("format has fewer values than clauses") from None
        return _CLAUSES[clause](value, int(precision) if precision else _DEFAULT_PRECISION, budget)

    return _CLAUSE.sub(replaced, template)


def _text(value: Any, _precision: int, budget: Budget) -> str:
    budget.spend(1)
    if isinstance(value, Mapping):
        texts = ((_text(key, 0, budget), _text(entry, 0, budget)) for key, entry in value.items())
        return "{" + ", ".join(f"{key}: {entry}" for key, entry in sorted(texts)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(entry, 0, budget) for entry in value) + "]"
    if type(value) not in _TEXTS:
        raise EvaluationError(f"%s takes no {type_name(value)}")
    return _TEXTS[type(value)](value)


def _of_double(value: float) -> str:
    text = double_text(value)
    return {"+Inf": "Infinity", "-Inf": "-Infinity"}.get(text, text)


_TEXTS: Final[Mapping[type, Callable[[Any], str]]] = {
    str: str,
    bool: lambda value: str(value).lower(),
    type(None): lambda _: "null",
    int: str,
    UInt: lambda value: str(int(value)),
    float: _of_double,
    bytes: lambda value: value.decode(errors="replace"),
    Duration: str,
    Timestamp: str,
    Type: lambda value: value.name,
}


def _decimal(value: Any, _precision: int, _budget: Budget) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and not math.isfinite(value):
        return _text(value, 0, _budget)
    raise EvaluationError(f"%d takes no {type_name(value)}")


def _real(letter: str) -> Callable[[Any, int, Budget], str]:
    def clause(value: Any, precision: int, budget: Budget) -> str:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise EvaluationError(f"%{letter} takes no {type_name(value)}")
        return f"{value:.{precision}{letter}}" if math.isfinite(value) else _text(float(value), 0, budget)

    return clause


def _based(letter: str) -> Callable[[Any, int, Budget], str]:
    def clause(value: Any, _precision: int, budget: Budget) -> str:
        if isinstance(value, int) and (letter == "b" or not isinstance(value, bool)):
            return format(int(value), letter)
        if isinstance(value, str | bytes) and letter in "xX":
            budget.traverse(2 * len(value))
            text = (value.encode() if isinstance(value, str) else value).hex()
            return text.upper() if letter == "X" else text
        raise EvaluationError(f"%{letter} takes no {type_name(value)}")

    return clause


_CLAUSES: Final[Mapping[str, Callable[[Any, int, Budget], str]]] = {
    "s": _text,
    "d": _decimal,
    "f": _real("f"),
    "e": _real("e"),
    "b": _based("b"),
    "o": _based("o"),
    "x": _based("x"),
    "X": _based("X"),
}
