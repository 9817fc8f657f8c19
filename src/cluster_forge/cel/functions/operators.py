"""Operators ("Language Definition", section "List of Standard Definitions")."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions.overloads import ANY, LIST, Overload, Table
from cluster_forge.cel.times import Duration, Timestamp
from cluster_forge.cel.values import UInt, compare, equal, integer, type_name, unsigned


def _equal(budget: Budget, left: Any, right: Any) -> bool:
    return equal(left, right, budget)


def _unequal(budget: Budget, left: Any, right: Any) -> bool:
    return not equal(left, right, budget)


def _ordered(decide: Callable[[int, int], bool]) -> Overload:
    def call(_budget: Budget, left: Any, right: Any) -> bool:
        if isinstance(left, float) or isinstance(right, float):
            numbers = [value for value in (left, right) if type(value) in (int, UInt, float)]
            if len(numbers) == 2 and any(map(math.isnan, numbers)):
                return False
        return decide(compare(left, right), 0)

    return Overload((ANY, ANY), call)


def _within(budget: Budget, member: Any, whole: Any) -> bool:
    if isinstance(whole, Mapping):
        return isinstance(member, str | int | float) and member in whole
    if isinstance(whole, list | tuple):
        budget.spend(len(whole))
        return any(equal(member, entry, budget) for entry in whole)
    raise EvaluationError(f"{type_name(whole)} has no entries")


def _joined(budget: Budget, left: Any, right: Any) -> Any:
    budget.traverse(len(left) + len(right))
    return left + right


def _lists(budget: Budget, left: Any, right: Any) -> list[Any]:
    budget.spend(len(left) + len(right))
    return [*left, *right]


def _not(_budget: Budget, value: bool) -> bool:  # noqa: FBT001 - a value of the language
    return not value


def _numbers(calculate: Callable[[Any, Any], Any]) -> list[Overload]:
    return [
        Overload((int, int), lambda _, left, right: integer(calculate(left, right))),
        Overload((UInt, UInt), lambda _, left, right: unsigned(calculate(int(left), int(right)))),
        Overload((float, float), lambda _, left, right: calculate(left, right)),
    ]


def _product(left: float, right: float) -> float:
    return left * right


def _quotient(left: int, right: int) -> int:
    """Rounded towards zero, as in Go."""
    if right == 0:
        raise EvaluationError("division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise EvaluationError("division by zero")
    return left - right * _quotient(left, right)


def _real_quotient(_budget: Budget, left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


MEMBERS: Final[Table] = {}
GLOBALS: Final[Table] = {
    "_==_": [Overload((ANY, ANY), _equal)],
    "_!=_": [Overload((ANY, ANY), _unequal)],
    "_<_": [_ordered(operator.lt)],
    "_<=_": [_ordered(operator.le)],
    "_>_": [_ordered(operator.gt)],
    "_>=_": [_ordered(operator.ge)],
    "@in": [Overload((ANY, ANY), _within)],
    "!_": [Overload((bool,), _not)],
    "-_": [
        Overload((int,), lambda _, value: integer(-value)),
        Overload((float,), lambda _, value: -value),
        Overload((Duration,), lambda _, value: Duration.of(-value.nanoseconds)),
    ],
    "_+_": [
        Overload((str, str), _joined),
        *_numbers(operator.add),
        Overload((bytes, bytes), _joined),
        Overload((LIST, LIST), _lists),
        Overload((Duration, Duration), lambda _, a, b: Duration.of(a.nanoseconds + b.nanoseconds)),
        Overload((Timestamp, Duration), lambda _, a, b: Timestamp.of(a.nanoseconds + b.nanoseconds)),
        Overload((Duration, Timestamp), lambda _, a, b: Timestamp.of(a.nanoseconds + b.nanoseconds)),
    ],
    "_-_": [
        *_numbers(operator.sub),
        Overload((Duration, Duration), lambda _, a, b: Duration.of(a.nanoseconds - b.nanoseconds)),
        Overload((Timestamp, Duration), lambda _, a, b: Timestamp.of(a.nanoseconds - b.nanoseconds)),
        Overload((Timestamp, Timestamp), lambda _, a, b: Duration.of(a.nanoseconds - b.nanoseconds)),
    ],
    "_*_": _numbers(_product),
    "_/_": [*_numbers(_quotient)[:2], Overload((float, float), _real_quotient)],
    "_%_": _numbers(_remainder)[:2],
}
