"""Operators that do not need all their operands: an error counts only where no other operand decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError, UndecidedError
from cluster_forge.cel.values import Optional, type_name

_Names = Mapping[str, Any]
_Evaluate = Callable[[_Names, Budget], Any]


def decided(
    evaluations: Iterable[tuple[_Evaluate, _Names]],
    budget: Budget,
    decisive: bool,  # noqa: FBT001 - a value of the language
) -> bool:
    """``decisive`` if one of the evaluations is so, whatever fails before it.

    Raises:
        EvaluationError: the first one where none is decisive, or that of what is not known, which may turn out to decide.
    """
    failed: EvaluationError | None = None
    for evaluate, names in evaluations:
        try:
            decision = boolean(evaluate(names, budget))
        except EvaluationError as error:
            if failed is None or (isinstance(error, UndecidedError) and not isinstance(failed, UndecidedError)):
                failed = error
            continue
        if decision is decisive:
            return decisive
    if failed is not None:
        raise failed
    return not decisive


def _deciding(decisive: bool) -> Callable[[Sequence[_Evaluate]], _Evaluate]:  # noqa: FBT001 - a value of the language
    def compiled(operands: Sequence[_Evaluate]) -> _Evaluate:
        def value(names: _Names, budget: Budget) -> bool:
            budget.spend(1)
            return decided(zip(operands, repeat(names)), budget, decisive)

        return value

    return compiled


def _conditional(operands: Sequence[_Evaluate]) -> _Evaluate:
    condition, chosen, other = operands

    def value(names: _Names, budget: Budget) -> Any:
        budget.spend(1)
        return (chosen if boolean(condition(names, budget)) else other)(names, budget)

    return value


def _fallback(operands: Sequence[_Evaluate]) -> _Evaluate:
    """``optional.or(other)``."""
    option, other = operands

    def value(names: _Names, budget: Budget) -> Any:
        budget.spend(1)
        value = _optional(option(names, budget))
        return value if value.is_present else _optional(other(names, budget))

    return value


def _fallback_value(operands: Sequence[_Evaluate]) -> _Evaluate:
    """``optional.orValue(other)``."""
    option, other = operands

    def value(names: _Names, budget: Budget) -> Any:
        budget.spend(1)
        value = _optional(option(names, budget))
        return value.value if value.is_present else other(names, budget)

    return value


def _optional(value: object) -> Optional:
    if not isinstance(value, Optional):
        raise EvaluationError(f"{type_name(value)} is not an optional value")
    return value


def boolean(value: object) -> bool:
    """A condition's value.

    Raises:
        EvaluationError: if it is of another type.
    """
    if value is True or value is False:
        return value
    raise EvaluationError(f"a condition is {type_name(value)}, not bool")


LAZY: Final[Mapping[str, Callable[[Sequence[_Evaluate]], _Evaluate]]] = {
    "_&&_": _deciding(decisive=False),
    "_||_": _deciding(decisive=True),
    "_?_:_": _conditional,
}
LAZY_MEMBERS: Final[Mapping[str, Callable[[Sequence[_Evaluate]], _Evaluate]]] = {
    "or": _fallback,
    "orValue": _fallback_value,
}
