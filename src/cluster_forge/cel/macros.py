"""Calls that are not functions: they bind names, or ask whether something is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cluster_forge.cel.errors import InvalidExpressionError
from cluster_forge.cel.syntax import Bind, Field, Loop, Name, Node


def of_member(name: str, target: Node, arguments: Sequence[Node], offset: int) -> Node | None:
    """What ``target.name(arguments)`` stands for, if it is a macro."""
    if name == "bind" and target == Name("cel") and len(arguments) == 3:
        return Bind(_variable(arguments[0], offset), arguments[1], arguments[2])
    counts = _LOOPS.get((name, len(arguments)))
    if counts is None:
        return None
    names = [_variable(argument, offset) for argument in arguments[:counts]]
    if len(set(names)) < len(names):
        raise InvalidExpressionError(f"{names[0]!r} stands for two things", offset=offset)
    return Loop(_ALIASES.get(name, name), target, names, arguments[counts:])


def of_function(name: str, arguments: Sequence[Node], offset: int) -> Node | None:
    """What ``name(arguments)`` stands for, if it is a macro."""
    if name != "has":
        return None
    if len(arguments) != 1 or not isinstance(arguments[0], Field) or arguments[0].is_test:
        raise InvalidExpressionError("has(…) takes a field: has(self.name)", offset=offset)
    field = arguments[0]
    return Field(field.operand, field.name, is_test=True, is_optional=field.is_optional)


_LOOPS: Final[Mapping[tuple[str, int], int]] = {
    ("all", 2): 1,
    ("exists", 2): 1,
    ("exists_one", 2): 1,
    ("existsOne", 2): 1,
    ("filter", 2): 1,
    ("map", 2): 1,
    ("map", 3): 1,
    ("sortBy", 2): 1,
    ("optMap", 2): 1,
    ("optFlatMap", 2): 1,
    ("all", 3): 2,
    ("exists", 3): 2,
    ("exists_one", 3): 2,
    ("existsOne", 3): 2,
    ("transformList", 3): 2,
    ("transformList", 4): 2,
    ("transformMap", 3): 2,
    ("transformMap", 4): 2,
    ("transformMapEntry", 3): 2,
    ("transformMapEntry", 4): 2,
}
"""How many of a macro's arguments are names, by its name and the number of its arguments."""
_ALIASES: Final = {"existsOne": "exists_one"}


def _variable(node: Node, offset: int) -> str:
    if not isinstance(node, Name):
        raise InvalidExpressionError("the macro's first argument is a name", offset=offset)
    return node.name
