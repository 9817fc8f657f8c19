"""Values that may be absent (cel-spec, "optional" library)."""

from __future__ import annotations

from typing import Any, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions.overloads import ANY, LIST, Overload, Table
from cluster_forge.cel.times import Duration, Timestamp
from cluster_forge.cel.values import NONE, Optional, some


def _value(_budget: Budget, option: Optional) -> Any:
    if not option.is_present:
        raise EvaluationError("the optional value is absent")
    return option.value


def _of_non_zero(_budget: Budget, value: Any) -> Optional:
    is_zero = value is None or (
        value in (Duration(0), Timestamp(0)) if isinstance(value, Duration | Timestamp) else not value
    )
    return NONE if is_zero else some(value)


def _unwrapped(budget: Budget, values: Any) -> list[Any]:
    budget.spend(len(values))
    return [entry.value for entry in values if isinstance(entry, Optional) and entry.is_present]


GLOBALS: Final[Table] = {
    "optional.of": [Overload((ANY,), lambda _, value: some(value))],
    "optional.none": [Overload((), lambda _: NONE)],
    "optional.ofNonZeroValue": [Overload((ANY,), _of_non_zero)],
    "optional.unwrap": [Overload((LIST,), _unwrapped)],
}
MEMBERS: Final[Table] = {
    "hasValue": [Overload((Optional,), lambda _, option: option.is_present)],
    "value": [Overload((Optional,), _value)],
    "unwrapOpt": [Overload((LIST,), _unwrapped)],
}
