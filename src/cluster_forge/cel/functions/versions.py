"""Semantic versions (Kubernetes, ``library.SemverLib``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions.overloads import Overload, Table

_IDENTIFIERS: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION: Final = re.compile(
    rf"(0|[1-9]\d{{0,18}})\.(0|[1-9]\d{{0,18}})\.(0|[1-9]\d{{0,18}})(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?",
    re.ASCII,
)
_LOOSE: Final = re.compile(r"v?(\d{1,19})(?:\.(\d{1,19}))?(?:\.(\d{1,19}))?((?:[-+].*)?)", re.ASCII)
_LONGEST: Final = 256
"""Characters of a version."""


@dataclass(frozen=True, slots=True)
class Version:
    """``pre`` are the identifiers of a pre-release: numbers before text, by `_order`."""

    TYPE_NAME: ClassVar[str] = "kubernetes.Semver"
    numbers: tuple[int, ...]
    pre: tuple[tuple[int, int, str], ...]


def _order(version: Version) -> tuple[tuple[int, ...], bool, tuple[tuple[int, int, str], ...]]:
    """A release comes after its pre-releases (semver.org, section 11)."""
    return (version.numbers, not version.pre, version.pre)


def _parsed(budget: Budget, text: str, is_loose: bool = False) -> Version:  # noqa: FBT001, FBT002 - a value of the language
    budget.traverse(len(text))
    loose = _LOOSE.fullmatch(text) if is_loose and len(text) <= _LONGEST else None
    if loose:
        text = ".".join(str(int(number or 0)) for number in loose.groups()[:3]) + loose[4]
    match = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
    pre = (match[4] or "").split(".") if match else []
    if not match or any(one.isdecimal() and one != "0" and one.startswith("0") for one in pre):
        raise EvaluationError(f"{text[:_LONGEST]!r} is not a semantic version")
    return Version(tuple(map(int, match.groups()[:3])), tuple(map(_identifier, filter(None, pre))))


def _identifier(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdecimal() else (1, 0, text)


def _is_version(budget: Budget, text: str, is_loose: bool = False) -> bool:  # noqa: FBT001, FBT002 - a value of the language
    try:
        _parsed(budget, text, is_loose)
    except EvaluationError:
        return False
    return True


def _compared(_budget: Budget, one: Version, other: Version) -> int:
    return (_order(one) > _order(other)) - (_order(one) < _order(other))


GLOBALS: Final[Table] = {
    "semver": [Overload((str,), _parsed), Overload((str, bool), _parsed)],
    "isSemver": [Overload((str,), _is_version), Overload((str, bool), _is_version)],
}
MEMBERS: Final[Table] = {
    "major": [Overload((Version,), lambda _, version: version.numbers[0])],
    "minor": [Overload((Version,), lambda _, version: version.numbers[1])],
    "patch": [Overload((Version,), lambda _, version: version.numbers[2])],
    "isGreaterThan": [Overload((Version, Version), lambda budget, *pair: _compared(budget, *pair) > 0)],
    "isLessThan": [Overload((Version, Version), lambda budget, *pair: _compared(budget, *pair) < 0)],
    "compareTo": [Overload((Version, Version), _compared)],
}
