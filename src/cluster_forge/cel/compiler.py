"""From a tree to functions that compute its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from cluster_forge.cel import fields, logic, loops
from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError, UndecidedError, UnsupportedError
from cluster_forge.cel.functions import registry
from cluster_forge.cel.syntax import Bind, Call, Field, Item, ListOf, Literal, Loop, MapOf, Name, Node
from cluster_forge.cel.values import TYPES, Optional, UInt, type_name

Names: TypeAlias = Mapping[str, Any]
Evaluate: TypeAlias = Callable[[Names, Budget], Any]
_Inner: TypeAlias = Callable[[Node], Evaluate]
"""Compiles a part of a node."""

DEEPEST: Final = 160
"""Operators, calls and members in each other."""


_WITH_ARGUMENT: Final = 2
"""Operands of a call with a target and one argument."""


def compiled(node: Node, depth: int = 0) -> Evaluate:
    """The function that computes the value of a tree.

    Raises:
        UnsupportedError: for unknown functions, and a tree deeper than the limit.
    """
    if depth > DEEPEST:
        raise UnsupportedError(f"more than {DEEPEST} operators in each other")

    def inner(part: Node) -> Evaluate:
        return compiled(part, depth + 1)

    return _COMPILE[type(node)](node, inner)


def _literal(node: Literal, _inner: _Inner) -> Evaluate:
    literal = node.value
    return lambda _names, _budget: literal


def _name(node: Name, _inner: _Inner) -> Evaluate:
    name = node.name

    def value(names: Names, budget: Budget) -> Any:
        budget.spend(1)
        try:
            return names[name]
        except KeyError:
            if name in TYPES:
                return TYPES[name]
            raise UndecidedError(f"{name} is not known") from None

    return value


def _field(node: Field, inner: _Inner) -> Evaluate:
    operand = inner(node.operand)
    name, read = node.name, fields.test if node.is_test else fields.optional if node.is_optional else fields.of

    def value(names: Names, budget: Budget) -> Any:
        budget.spend(1)
        return read(operand(names, budget), name)

    return value


def _item(node: Item, inner: _Inner) -> Evaluate:
    operand, index = inner(node.operand), inner(node.index)
    read = fields.optional_item if node.is_optional else fields.item

    def value(names: Names, budget: Budget) -> Any:
        budget.spend(1)
        return read(operand(names, budget), index(names, budget))

    return value


def _call(node: Call, inner: _Inner) -> Evaluate:
    operands = [inner(argument) for argument in node.arguments]
    if node.name in logic.LAZY:
        return logic.LAZY[node.name](operands)
    if node.target is not None:
        operands.insert(0, inner(node.target))
        if node.name in logic.LAZY_MEMBERS and len(operands) == _WITH_ARGUMENT:
            return logic.LAZY_MEMBERS[node.name](operands)
    function = registry.function(node.name, len(operands), is_member=node.target is not None)

    def value(names: Names, budget: Budget) -> Any:
        budget.spend(1)
        return function(budget, *[operand(names, budget) for operand in operands])

    return value


def _list(node: ListOf, inner: _Inner) -> Evaluate:
    entries, optional = [inner(entry) for entry in node.entries], node.optional

    def value(names: Names, budget: Budget) -> Any:
        budget.spend(1 + len(entries))
        values = [entry(names, budget) for entry in entries]
        if not optional:
            return values
        chosen = [_present(entry) if place in optional else (entry,) for place, entry in enumerate(values)]
        return [entry for present in chosen for entry in present]

    return value


def _map(node: MapOf, inner: _Inner) -> Evaluate:
    entries, optional = [(inner(key), inner(entry)) for key, entry in node.entries], node.optional

    def value(names: Names, budget: Budget) -> Any:
        budget.spend(1 + 2 * len(entries))
        members: dict[Any, Any] = {}
        for place, (evaluate_key, evaluate_value) in enumerate(entries):
            key = evaluate_key(names, budget)
            if type(key) not in (str, int, bool, UInt):
                raise EvaluationError(f"{type_name(key)} cannot be a key")
            if key in members:
                raise EvaluationError(f"the key {key!r} is there twice")
            entry = evaluate_value(names, budget)
            members.update((key, one) for one in (_present(entry) if place in optional else (entry,)))
        return members

    return value


def _present(entry: object) -> tuple[Any, ...]:
    if not isinstance(entry, Optional):
        raise EvaluationError("an entry with ? is not an optional value")
    return (entry.value,) if entry.is_present else ()


def _loop(node: Loop, inner: _Inner) -> Evaluate:
    return loops.compiled(node.macro, inner(node.operand), node.names, [inner(step) for step in node.steps])


def _bind(node: Bind, inner: _Inner) -> Evaluate:
    name, bound, result = node.name, inner(node.value), inner(node.result)

    def value(names: Names, budget: Budget) -> Any:
        budget.spend(1)
        return result({**names, name: bound(names, budget)}, budget)

    return value


_COMPILE: Final[Mapping[type, Callable[[Any, _Inner], Evaluate]]] = {
    Literal: _literal,
    Name: _name,
    Field: _field,
    Item: _item,
    Call: _call,
    ListOf: _list,
    MapOf: _map,
    Loop: _loop,
    Bind: _bind,
}
