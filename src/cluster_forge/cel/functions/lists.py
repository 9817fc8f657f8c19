"""Functions of lists: those of Kubernetes (``library.Lists``), of cel-go (``ext.Lists``), and sets (``ext.Sets``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cmp_to_key
from itertools import pairwise
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions import operators
from cluster_forge.cel.functions.overloads import ANY, LIST, Overload, Table, chosen
from cluster_forge.cel.values import NONE, Optional, compare, equal, some

_add: Final = chosen("sum", operators.GLOBALS["_+_"])


def _is_sorted(budget: Budget, values: Sequence[Any]) -> bool:
    budget.spend(len(values))
    return all(compare(one, other) <= 0 for one, other in pairwise(values))


def _sum(budget: Budget, values: Sequence[Any]) -> Any:
    budget.spend(len(values))
    if any(isinstance(value, str | bytes | list) for value in values):
        raise EvaluationError("sum takes numbers and durations")
    if not values:
        return 0
    total = values[0]
    for value in values[1:]:
        total = _add(budget, total, value)
    return total


def _extreme(sign: int) -> Overload:
    def call(budget: Budget, values: Sequence[Any]) -> Any:
        budget.spend(len(values))
        if not values:
            raise EvaluationError("an empty list has no least or greatest entry")
        best = values[0]
        for value in values[1:]:
            best = value if compare(value, best) == sign else best
        return best

    return Overload((LIST,), call)


def _index(budget: Budget, values: Sequence[Any], wanted: Any) -> int:
    budget.spend(len(values))
    return next((place for place, value in enumerate(values) if equal(value, wanted, budget)), -1)


def _last_index(budget: Budget, values: Sequence[Any], wanted: Any) -> int:
    place = _index(budget, values[::-1], wanted)
    return place if place < 0 else len(values) - 1 - place


def _includes(budget: Budget, whole: Any, wanted: Any) -> bool:
    return _index(budget, whole, wanted) >= 0 if isinstance(whole, list | tuple) else equal(whole, wanted, budget)


def _slice(budget: Budget, values: Sequence[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(values):
        raise EvaluationError(f"the list has no part from {start} to {end}")
    budget.spend(end - start)
    return list(values[start:end])


def _flat(budget: Budget, values: Sequence[Any], depth: int = 1) -> list[Any]:
    if depth < 0 or depth > len(values) + 1000:
        raise EvaluationError("the depth is negative, or too large")
    flat: list[Any] = []
    budget.spend(len(values))
    for value in values:
        if isinstance(value, list | tuple) and depth:
            flat += _flat(budget, value, depth - 1)
        else:
            flat.append(value)
    return flat


def _distinct(budget: Budget, values: Sequence[Any]) -> list[Any]:
    unique: list[Any] = []
    for value in values:
        budget.spend(1 + len(unique))
        if not any(equal(value, one, budget) for one in unique):
            unique.append(value)
    return unique


def _sorted(budget: Budget, values: Sequence[Any]) -> list[Any]:
    budget.spend(len(values) * max(len(values).bit_length(), 1))
    return sorted(values, key=cmp_to_key(compare))


def _range(budget: Budget, count: int) -> list[int]:
    budget.spend(max(count, 0))
    return list(range(count))


def _contains(budget: Budget, whole: Sequence[Any], part: Sequence[Any]) -> bool:
    budget.spend(len(whole) * len(part))
    return all(any(equal(wanted, value, budget) for value in whole) for wanted in part)


def _intersects(budget: Budget, one: Sequence[Any], other: Sequence[Any]) -> bool:
    budget.spend(len(one) * len(other))
    return any(equal(wanted, value, budget) for value in one for wanted in other)


def _equivalent(budget: Budget, one: Sequence[Any], other: Sequence[Any]) -> bool:
    return _contains(budget, one, other) and _contains(budget, other, one)


def _first(_budget: Budget, values: Sequence[Any]) -> Optional:
    return some(values[0]) if values else NONE


def _last(_budget: Budget, values: Sequence[Any]) -> Optional:
    return some(values[-1]) if values else NONE


GLOBALS: Final[Table] = {
    "lists.range": [Overload((int,), _range)],
    "sets.contains": [Overload((LIST, LIST), _contains)],
    "sets.intersects": [Overload((LIST, LIST), _intersects)],
    "sets.equivalent": [Overload((LIST, LIST), _equivalent)],
}
MEMBERS: Final[Table] = {
    "isSorted": [Overload((LIST,), _is_sorted)],
    "sum": [Overload((LIST,), _sum)],
    "min": [_extreme(-1)],
    "max": [_extreme(1)],
    "indexOf": [Overload((LIST, ANY), _index)],
    "lastIndexOf": [Overload((LIST, ANY), _last_index)],
    "includes": [Overload((ANY, ANY), _includes)],
    "slice": [Overload((LIST, int, int), _slice)],
    "flatten": [Overload((LIST,), _flat), Overload((LIST, int), _flat)],
    "distinct": [Overload((LIST,), _distinct)],
    "sort": [Overload((LIST,), _sorted)],
    "reverse": [Overload((LIST,), lambda _, values: list(values[::-1]))],
    "first": [Overload((LIST,), _first)],
    "last": [Overload((LIST,), _last)],
}
