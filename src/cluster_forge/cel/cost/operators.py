"""What operators cost, without their operands.

Source: cel-go, ``checker/cost.go`` (``functionCost``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cluster_forge.cel.cost.call_costs import PER_CHARACTER, Cost, Result, fixed
from cluster_forge.cel.cost.declared import BOOL, DYN, TEXTS, Kind, share
from cluster_forge.cel.cost.estimate import Estimate


def _equal(values: Sequence[Estimate]) -> Result:
    one, other = values
    if one.type.kind is other.type.kind is Kind.OTHER:
        return 1, BOOL, None
    return share(min(one.known_size.most, other.known_size.most), PER_CHARACTER), BOOL, None


def _unequal(values: Sequence[Estimate]) -> Result:
    return share(min(value.known_size.most for value in values), PER_CHARACTER), BOOL, None


def _ordered(values: Sequence[Estimate]) -> Result:
    kinds = {value.type.kind for value in values}
    as_texts = share(min(value.known_size.most for value in values), PER_CHARACTER)
    if kinds <= {Kind.DYN}:
        return max(1, as_texts), BOOL, None
    return as_texts if kinds & TEXTS else 1, BOOL, None


def _sum(values: Sequence[Estimate]) -> Result:
    one, other = values
    declared = other.type if one.type.kind is Kind.DYN else one.type
    both = one.known_size.plus(other.known_size)
    as_texts = share(both.most, PER_CHARACTER)
    if declared.kind is Kind.DYN:
        return max(1, as_texts), declared, both
    if declared.kind in TEXTS:
        return as_texts, declared, both
    return 1, declared, both if declared.kind is Kind.LIST else None


def _number(values: Sequence[Estimate]) -> Result:
    declared = next((value.type for value in values if value.type.kind is not Kind.DYN), DYN)
    return 1, declared, None


def _within(values: Sequence[Estimate]) -> Result:
    _, whole = values
    most = whole.known_size.most
    match whole.type.kind:
        case Kind.MAP:
            return 1, BOOL, None
        case Kind.DYN:
            return max(1, most), BOOL, None
    return most, BOOL, None


def _chosen(values: Sequence[Estimate]) -> Result:
    _, one, other = values
    declared = other.type if one.type.kind is Kind.NULL else one.type
    return 0, declared, one.known_size.or_else(other.known_size)


OPERATORS: Final[Mapping[str, Cost]] = {
    "_==_": _equal,
    "_!=_": _unequal,
    **dict.fromkeys(("_<_", "_<=_", "_>_", "_>=_"), _ordered),
    "_+_": _sum,
    **dict.fromkeys(("_-_", "_*_", "_/_", "_%_", "-_"), _number),
    "!_": fixed(BOOL),
    "@in": _within,
    "_?_:_": _chosen,
}
