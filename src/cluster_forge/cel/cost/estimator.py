"""The most that evaluating an expression may cost: what an API server estimates when it takes a rule.

Source: cel-go, ``checker/cost.go``. Its peculiarities are kept, since they decide what is refused: the size of a value is
looked up by the way to it, whose first step is not looked at; what a computed list has in it is as large as ``self``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cluster_forge.cel import parser
from cluster_forge.cel.cost import calls
from cluster_forge.cel.cost.declared import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    INT,
    ONE,
    STRING,
    TYPE,
    UNKNOWN_SIZE,
    Declared,
    Kind,
    Size,
    entry,
    limited,
    optional,
    sized,
)
from cluster_forge.cel.cost.estimate import Estimate, Path
from cluster_forge.cel.errors import UnsupportedError
from cluster_forge.cel.syntax import Bind, Call, Field, Item, ListOf, Literal, Loop, MapOf, Name, Node
from cluster_forge.cel.values import TYPES, UInt

_NEW_LIST: Final = 10
_NEW_MAP: Final = 30
_NULL: Final = Declared(kind=Kind.NULL)
_LITERALS: Final[Mapping[type, Declared]] = {
    bool: BOOL,
    int: INT,
    UInt: INT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    type(None): _NULL,
}

Names = Mapping[str, Estimate]


def most(expression: str, variables: Mapping[str, Declared], root: Declared) -> int:
    """The most that ``expression`` may cost; ``root`` is what all its variables are of, ``self`` and what it was.

    Raises:
        InvalidExpressionError: if it cannot be read.
        UnsupportedError: if it uses what this program does not know, or a field that the types do not have.
    """
    estimator = _Estimator(root)
    names = {name: estimator.at((name,), declared) for name, declared in variables.items()}
    return estimator.of(parser.parse(expression), names).cost


@dataclass(frozen=True, slots=True)
class _Step:
    """What a macro costs: before its loop, and in each round, where ``per_round`` has the entries' own."""

    before: int
    per_round: int
    results: Declared
    makes: Estimate | None = None


class _Estimator:
    def __init__(self, root: Declared) -> None:
        self._root = root

    def at(self, path: Path, declared: Declared, size: Size | None = None, entry_size: Size | None = None) -> Estimate:
        """A variable or a part of one: reading it costs one unit."""
        if path:
            size = self._size(path) or sized(declared, size)
            entry_size = self._size((*path, "@items")) or entry_size
        return Estimate(cost=1, type=declared, size=sized(declared, size), path=path, entry_size=entry_size)

    def of(self, node: Node, names: Names) -> Estimate:  # noqa: PLR0911 - one for each form
        match node:
            case Literal():
                return _literal(node)
            case Name():
                known = names.get(node.name)
                if known is None and node.name not in TYPES:
                    raise UnsupportedError(f"the name {node.name!r}")
                return known or self.at((node.name,), TYPE)
            case Field():
                return self._field(node, self.of(node.operand, names))
            case Item():
                return self._item(node, self.of(node.operand, names), self.of(node.index, names))
            case Call():
                return self._call(node, names)
            case ListOf() | MapOf():
                return self._literal_container(node, names)
            case Loop():
                return self._loop(node, names)
            case Bind():
                value = self.of(node.value, names)
                bound = self.at(value.path, value.type, value.size, value.entry_size)
                result = self.of(node.result, {**names, node.name: bound})
                return replace(result, cost=limited(_NEW_LIST + value.cost + result.cost), path=())

    def _size(self, path: Path) -> Size | None:
        """The size of the value that a path leads to; None if it leads to none."""
        current: Declared | None = self._root
        for step in path[1:]:
            assert current is not None
            if step in ("@items", "@values"):
                current = current.entry
            elif step == "@keys":
                current = STRING if current.kind is Kind.MAP else None
            else:
                current = current.fields.get(step)
            if current is None:
                return None
        return Size(0, current.most) if current else None

    def _field(self, node: Field, operand: Estimate) -> Estimate:
        if node.is_test:
            return replace(operand, type=BOOL, size=ONE, path=(), entry_size=None)
        declared = _member(operand.type, node.name)
        if node.is_optional or operand.type.kind is Kind.OPTIONAL:
            cost = operand.cost + node.is_optional
            return _computed(cost, optional(declared))
        cost = operand.cost + (operand.type.kind in (Kind.MAP, Kind.OBJECT))
        return replace(self.at((*operand.path, node.name), declared), cost=limited(cost))

    def _item(self, node: Item, operand: Estimate, index: Estimate) -> Estimate:
        cost = limited(1 + operand.cost + index.cost)
        if operand.type.kind not in (Kind.LIST, Kind.MAP, Kind.DYN, Kind.OPTIONAL):
            raise UnsupportedError("an entry of what has none")
        declared = entry(operand.type)
        if operand.type.kind is Kind.OPTIONAL:
            return _computed(cost, optional(entry(declared)))
        if node.is_optional:
            return _computed(cost, optional(declared))
        step = "@items" if operand.type.kind is Kind.LIST else "@values"
        result = self.at((*operand.path, step), declared)
        own = operand.entry_size if not operand.path else None
        return replace(result, cost=cost, size=own or result.size)

    def _call(self, node: Call, names: Names) -> Estimate:
        values = [self.of(part, names) for part in node.parts]
        cost = sum(value.cost for value in values)
        if node.name in ("_&&_", "_||_"):
            return _computed(limited(cost), BOOL)
        if node.name == "dyn" and len(values) == 1:
            return replace(values[0], cost=limited(cost + 1), type=DYN, path=())
        if node.name == "_?_:_":
            cost = values[0].cost + max(value.cost for value in values[1:])
        function = calls.of(node.name, is_member=node.target is not None)
        own, declared, size = function(values)
        return _computed(limited(cost + own), declared, size)

    def _literal_container(self, node: ListOf | MapOf, names: Names) -> Estimate:
        parts = [self.of(part, names) for part in node.parts]
        cost = limited(sum(part.cost for part in parts) + (_NEW_LIST if isinstance(node, ListOf) else _NEW_MAP))
        values = parts if isinstance(node, ListOf) else parts[1::2]
        kinds = {value.type.kind for value in values}
        declared = values[0].type if len(kinds) == 1 else DYN
        size = Size(len(values), len(values))
        kind = Kind.LIST if isinstance(node, ListOf) else Kind.MAP
        return Estimate(
            cost=cost, type=Declared(kind=kind, entry=declared), size=size, entry_size=_union(values) or Size(0, 0)
        )

    def _loop(self, node: Loop, names: Names) -> Estimate:
        operand = self.of(node.operand, names)
        if node.macro in ("optMap", "optFlatMap"):
            return self._optional_map(node, operand, names)
        if operand.type.kind not in (Kind.LIST, Kind.MAP, Kind.DYN):
            raise UnsupportedError("a loop over neither a list nor a map")
        bound = dict(zip(node.names, self._bound(operand, len(node.names)), strict=True))
        steps = [self.of(step, {**names, **bound}) for step in node.steps]
        step = _step(node.macro, steps, bound)
        rounds = operand.known_size
        cost = limited(operand.cost + step.before + rounds.most * step.per_round)
        if step.makes is None:
            return _computed(cost, step.results)
        return Estimate(cost=cost, type=step.results, size=rounds, entry_size=Size(0, step.makes.known_size.most))

    def _bound(self, operand: Estimate, count: int) -> Sequence[Estimate]:
        """What a loop's names stand for: an entry of a list, or a key of a map; with two, the key or place and the value."""
        is_list, declared = operand.type.kind is Kind.LIST, entry(operand.type)
        value = self.at((*operand.path, "@items" if is_list else "@values"), declared)
        if count == 1 and is_list:
            return (value,)
        key_type = INT if is_list else DYN if operand.type.kind is Kind.DYN else STRING
        key = self.at((*operand.path, "@indices" if is_list else "@keys"), key_type)
        return (key,) if count == 1 else (key, value)

    def _optional_map(self, node: Loop, operand: Estimate, names: Names) -> Estimate:
        """``target.hasValue() ? optional.of(cel.bind(name, target.value(), step)) : optional.none()``."""
        value = self.at((), entry(operand.type))
        step = self.of(node.steps[0], {**names, node.names[0]: value})
        wraps = node.macro == "optMap"
        bind = _NEW_LIST + (operand.cost + 1) + step.cost + wraps
        declared = optional(step.type) if wraps else step.type
        return _computed(limited(operand.cost + 1 + max(bind, 1)), declared)


def _literal(node: Literal) -> Estimate:
    value: Any = node.value
    declared = _LITERALS.get(type(value))
    if declared is None:
        raise UnsupportedError("a literal of an unknown type")
    size = len(value) if isinstance(value, str | bytes) else 1
    return Estimate(cost=0, type=declared, size=Size(size, size), literal=value)


def _member(declared: Declared, name: str) -> Declared:
    match declared.kind:
        case Kind.OBJECT if name in declared.fields:
            return declared.fields[name]
        case Kind.MAP:
            return entry(declared)
        case Kind.OPTIONAL:
            return _member(entry(declared), name)
        case Kind.DYN:
            return DYN
    raise UnsupportedError(f"the field {name!r} of {declared.kind}")


def _computed(cost: int, declared: Declared, size: Size | None = None) -> Estimate:
    return Estimate(cost=cost, type=declared, size=sized(declared, size))


def _union(values: Sequence[Estimate]) -> Size | None:
    size: Size | None = None
    for value in values:
        size = value.known_size.or_else(size or value.known_size)
    return size


def _step(macro: str, steps: Sequence[Estimate], bound: Names) -> _Step:
    """What a macro expands to, for each round: the condition to go on, and the step (cel-go, ``parser/macro.go``)."""
    cost = sum(step.cost for step in steps)
    listed = Declared(kind=Kind.LIST, entry=steps[-1].type)
    match macro, len(steps):
        case "all", 1:
            return _Step(1, 3 + cost, BOOL)
        case "exists", 1:
            return _Step(1, 4 + cost, BOOL)
        case "exists_one", 1:
            return _Step(2, 2 + cost, BOOL)
        case "filter", 1:
            kept = next(iter(bound.values()))
            return _Step(_NEW_LIST + 1, 3 + _NEW_LIST + cost, Declared(kind=Kind.LIST, entry=kept.type), kept)
        case (("map" | "transformList"), (1 | 2)):
            return _Step(_NEW_LIST + 1, 2 + _NEW_LIST + cost, listed, steps[-1])
        case "transformMap", (1 | 2):
            mapped = Declared(kind=Kind.MAP, entry=steps[-1].type)
            return _Step(_NEW_MAP + 1, 3 + cost, mapped, replace(steps[-1], size=UNKNOWN_SIZE))
    raise UnsupportedError(f"the macro {macro!r}")
