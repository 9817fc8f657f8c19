"""An expression as a tree. Operators are calls, named as cel-spec names them: ``_+_``, ``!_``, ``@in``.

``parts`` of a node are those that are evaluated with the same names as the node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any

    @property
    def parts(self) -> Sequence[Node]:
        return ()


@dataclass(frozen=True, slots=True)
class Name:
    name: str

    @property
    def parts(self) -> Sequence[Node]:
        return ()


@dataclass(frozen=True, slots=True)
class Field:
    """``operand.name``; ``has(operand.name)`` where it is a test, ``operand.?name`` where it is optional."""

    operand: Node
    name: str
    is_test: bool = False
    is_optional: bool = False

    @property
    def parts(self) -> Sequence[Node]:
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Item:
    """``operand[index]``, or ``operand[?index]``."""

    operand: Node
    index: Node
    is_optional: bool = False

    @property
    def parts(self) -> Sequence[Node]:
        return (self.operand, self.index)


@dataclass(frozen=True, slots=True)
class Call:
    """``target.name(arguments)``, or ``name(arguments)``."""

    name: str
    target: Node | None
    arguments: Sequence[Node]
    offset: int = 0

    @property
    def parts(self) -> Sequence[Node]:
        return self.arguments if self.target is None else (self.target, *self.arguments)


@dataclass(frozen=True, slots=True)
class ListOf:
    """``optional`` has the places of the entries with ``?``."""

    entries: Sequence[Node]
    optional: frozenset[int] = frozenset()

    @property
    def parts(self) -> Sequence[Node]:
        return self.entries


@dataclass(frozen=True, slots=True)
class MapOf:
    """``optional`` has the places of the entries with ``?``."""

    entries: Sequence[tuple[Node, Node]]
    optional: frozenset[int] = frozenset()

    @property
    def parts(self) -> Sequence[Node]:
        return tuple(chain.from_iterable(self.entries))


@dataclass(frozen=True, slots=True)
class Loop:
    """A macro over ``operand``: ``names`` stand for an entry (or a key, or a place and its entry) in ``steps``."""

    macro: str
    operand: Node
    names: Sequence[str]
    steps: Sequence[Node]

    @property
    def parts(self) -> Sequence[Node]:
        return (self.operand,)

    @property
    def bound(self) -> tuple[Sequence[str], Sequence[Node]]:
        """The names, and the parts in which they stand for something else."""
        return self.names, self.steps


@dataclass(frozen=True, slots=True)
class Bind:
    """``cel.bind(name, value, result)``."""

    name: str
    value: Node
    result: Node

    @property
    def parts(self) -> Sequence[Node]:
        return (self.value,)

    @property
    def bound(self) -> tuple[Sequence[str], Sequence[Node]]:
        """The name, and the part in which it stands for something else."""
        return (self.name,), (self.result,)


Node: TypeAlias = Literal | Name | Field | Item | Call | ListOf | MapOf | Loop | Bind
