"""All functions, by name and number of arguments."""

from __future__ import annotations

from functools import cache
from typing import Final

from cluster_forge.cel.errors import UnknownFunctionError
from cluster_forge.cel.functions import (
    conversions,
    formats,
    lists,
    networks,
    operators,
    optionals,
    quantities,
    regular_expressions,
    sizes,
    texts,
    times,
    urls,
    versions,
)
from cluster_forge.cel.functions.overloads import Function, chosen

_ROOMS: Final = (
    operators,
    sizes,
    conversions,
    texts,
    regular_expressions,
    times,
    lists,
    optionals,
    quantities,
    urls,
    networks,
    formats,
    versions,
)


@cache
def function(name: str, count: int, *, is_member: bool) -> Function:
    """The function of a name that takes so many arguments; a member's target is the first of them.

    Raises:
        UnknownFunctionError: if there is none.
    """
    overloads = [
        overload
        for room in _ROOMS
        for overload in (room.MEMBERS if is_member else room.GLOBALS).get(name, ())
        if len(overload.types) == count
    ]
    if not overloads:
        raise UnknownFunctionError(f"the function {name!r} with {count - is_member} arguments")
    return chosen(name, overloads)
