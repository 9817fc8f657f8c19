"""Macros that go through the entries of a list or map ("Language Definition", section "Macros"), and of optional values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cmp_to_key
from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.logic import boolean, decided
from cluster_forge.cel.values import NONE, Optional, compare, some, type_name

_Names = Mapping[str, Any]
_Evaluate = Callable[[_Names, Budget], Any]
_Scopes = Iterator[tuple[Any, _Names]]
_Run = Callable[[_Scopes, Sequence[_Evaluate], Budget], Any]


def compiled(macro: str, operand: _Evaluate, variables: Sequence[str], steps: Sequence[_Evaluate]) -> _Evaluate:
    """The function that computes a macro."""
    if macro in _OF_OPTIONAL:
        return _of_optional(macro, operand, variables[0], steps[0])
    run = _RUNS[macro]

    def value(names: _Names, budget: Budget) -> Any:
        return run(_scopes(operand(names, budget), variables, names, budget), steps, budget)

    return value


def _scopes(operand: object, variables: Sequence[str], names: _Names, budget: Budget) -> _Scopes:
    """For each entry what goes into the result, and the names with those of the loop."""
    is_pair = len(variables) > 1
    entries: Iterator[tuple[Any, Any]]
    if isinstance(operand, Mapping):
        entries = iter(operand.items())
    elif isinstance(operand, list | tuple):
        entries = iter(enumerate(operand))
    else:
        raise EvaluationError(f"{type_name(operand)} has no entries")
    scope = dict(names)
    for key, entry in entries:
        budget.spend(1)
        one = key if isinstance(operand, Mapping) else entry
        scope.update(zip(variables, (key, entry) if is_pair else (one,), strict=True))
        yield (key if is_pair else one), scope


def _deciding(decisive: bool) -> _Run:  # noqa: FBT001 - a value of the language
    def run(scopes: _Scopes, steps: Sequence[_Evaluate], budget: Budget) -> bool:
        return decided(((steps[0], scope) for _, scope in scopes), budget, decisive)

    return run


def _exists_one(scopes: _Scopes, steps: Sequence[_Evaluate], budget: Budget) -> bool:
    return sum(boolean(steps[0](scope, budget)) for _, scope in scopes) == 1


def _filter(scopes: _Scopes, steps: Sequence[_Evaluate], budget: Budget) -> list[Any]:
    return [entry for entry, scope in scopes if boolean(steps[0](scope, budget))]


def _transformed(scopes: _Scopes, steps: Sequence[_Evaluate], budget: Budget) -> Iterator[tuple[Any, Any]]:
    """For each entry that passes all steps but the last one: its key, and what the last one gives."""
    *conditions, result = steps
    for key, scope in scopes:
        if all(boolean(condition(scope, budget)) for condition in conditions):
            yield key, result(scope, budget)


def _list(scopes: _Scopes, steps: Sequence[_Evaluate], budget: Budget) -> list[Any]:
    return [result for _, result in _transformed(scopes, steps, budget)]


def _map(scopes: _Scopes, steps: Sequence[_Evaluate], budget: Budget) -> dict[Any, Any]:
    return dict(_transformed(scopes, steps, budget))


def _merged(scopes: _Scopes, steps: Sequence[_Evaluate], budget: Budget) -> dict[Any, Any]:
    merged: dict[Any, Any] = {}
    for _, entries in _transformed(scopes, steps, budget):
        if not isinstance(entries, Mapping) or entries.keys() & merged.keys():
            raise EvaluationError("transformMapEntry needs a map of keys that are not there yet")
        budget.spend(len(entries))
        merged.update(entries)
    return merged


def _sorted(scopes: _Scopes, steps: Sequence[_Evaluate], budget: Budget) -> list[Any]:
    keyed = [(steps[0](scope, budget), entry) for entry, scope in scopes]
    budget.spend(len(keyed) * max(len(keyed).bit_length(), 1))
    by_key = cmp_to_key(compare)
    return [entry for _, entry in sorted(keyed, key=lambda pair: by_key(pair[0]))]


def _of_optional(macro: str, operand: _Evaluate, variable: str, step: _Evaluate) -> _Evaluate:
    def value(names: _Names, budget: Budget) -> Optional:
        budget.spend(1)
        option = operand(names, budget)
        if not isinstance(option, Optional):
            raise EvaluationError(f"{type_name(option)} is not an optional value")
        if not option.is_present:
            return NONE
        result = step({**names, variable: option.value}, budget)
        if macro == "optMap":
            return some(result)
        if not isinstance(result, Optional):
            raise EvaluationError(f"{type_name(result)} is not an optional value")
        return result

    return value


_OF_OPTIONAL: Final = frozenset(["optMap", "optFlatMap"])
_RUNS: Final[Mapping[str, _Run]] = {
    "all": _deciding(decisive=False),
    "exists": _deciding(decisive=True),
    "exists_one": _exists_one,
    "filter": _filter,
    "map": _list,
    "sortBy": _sorted,
    "transformList": _list,
    "transformMap": _map,
    "transformMapEntry": _merged,
}
