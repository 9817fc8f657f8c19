"""Functions by the types of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.values import type_name

Function: TypeAlias = Callable[..., Any]
"""Called with the budget, and the arguments; a member's target is the first one."""

ANY: Final = object
LIST: Final = list
MAP: Final = Mapping


class Overload(NamedTuple):
    types: Sequence[type]
    function: Function


Table: TypeAlias = Mapping[str, Sequence[Overload]]


def chosen(name: str, overloads: Sequence[Overload]) -> Function:
    """The function that calls the overload whose types fit the arguments."""
    if len(overloads) == 1 and all(one is ANY for one in overloads[0].types):
        return overloads[0].function

    def call(budget: Budget, *values: Any) -> Any:
        for types, function in overloads:
            if all(map(_fits, values, types)):
                return function(budget, *values)
        raise EvaluationError(f"{name} takes no {', '.join(map(type_name, values))}")

    return call


def _fits(value: object, wanted: type) -> bool:
    kind = type(value)
    if kind is wanted or wanted is ANY:
        return True
    return (wanted is LIST and kind is tuple) or (wanted is MAP and isinstance(value, Mapping))
