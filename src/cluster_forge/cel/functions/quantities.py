"""Quantities (Kubernetes, ``library.Quantity``)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions.overloads import Overload, Table
from cluster_forge.cel.values import LARGEST_INT, SMALLEST_INT
from cluster_forge.foundation import quantity

_LONGEST: Final = 100
"""Characters of a quantity."""


@dataclass(frozen=True, slots=True)
class Quantity:
    TYPE_NAME: ClassVar[str] = "kubernetes.Quantity"
    number: Decimal


def _parsed(budget: Budget, text: str) -> Quantity:
    budget.traverse(len(text))
    try:
        if len(text) > _LONGEST:
            raise ValueError(text)
        return Quantity(quantity.parse(text))
    except (ValueError, ArithmeticError) as error:
        raise EvaluationError(f"{text[:_LONGEST]!r} is not a quantity") from error


def _is_quantity(budget: Budget, text: str) -> bool:
    try:
        _parsed(budget, text)
    except EvaluationError:
        return False
    return True


def _is_integer(_budget: Budget, quantity: Quantity) -> bool:
    number = quantity.number
    return SMALLEST_INT <= number <= LARGEST_INT and number == number.to_integral_value()


def _integer(budget: Budget, quantity: Quantity) -> int:
    if not _is_integer(budget, quantity):
        raise EvaluationError("the quantity is not an integer of 64 bits")
    return int(quantity.number)


def _compared(_budget: Budget, one: Quantity, other: Quantity) -> int:
    return (one.number > other.number) - (one.number < other.number)


def _sum(one: Quantity, other: Quantity | int, sign: int) -> Quantity:
    return Quantity(one.number + sign * (other.number if isinstance(other, Quantity) else Decimal(other)))


GLOBALS: Final[Table] = {
    "quantity": [Overload((str,), _parsed)],
    "isQuantity": [Overload((str,), _is_quantity)],
}
MEMBERS: Final[Table] = {
    "sign": [Overload((Quantity,), lambda _, one: (one.number > 0) - (one.number < 0))],
    "isInteger": [Overload((Quantity,), _is_integer)],
    "asInteger": [Overload((Quantity,), _integer)],
    "asApproximateFloat": [Overload((Quantity,), lambda _, one: float(one.number))],
    "add": [Overload((Quantity, kind), lambda _, one, other: _sum(one, other, 1)) for kind in (Quantity, int)],
    "sub": [Overload((Quantity, kind), lambda _, one, other: _sum(one, other, -1)) for kind in (Quantity, int)],
    "isGreaterThan": [Overload((Quantity, Quantity), lambda _, one, other: one.number > other.number)],
    "isLessThan": [Overload((Quantity, Quantity), lambda _, one, other: one.number < other.number)],
    "compareTo": [Overload((Quantity, Quantity), _compared)],
}
