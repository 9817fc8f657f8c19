"""Options of the command line, declared on the fields of the dataclasses that take them.

The default of a field decides how its option is read: a bool is a switch, a tuple collects repeated values, and text
is taken as it is. Nothing here knows a command-line library: `cluster_forge.cli.click_options` builds the options.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

DECLARATION: Final = "option"
"""The key of a field's metadata that holds its `OptionField`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionField:
    """How a field is written on the command line: as an option with ``flags``, or without flags as arguments.

    ``limits`` (both included) make it a number: with a fraction if one of them is a float. ``is_path``: the environment
    variable separates several values by the system's path separator. ``check`` gets the text of a value and raises
    ValueError if it is not valid.
    """

    flags: tuple[str, ...]
    help: str
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None
    shown_default: bool | str = False
    is_path: bool = False
    check: Callable[[str], object] | None = None


def option(*flags: str, default: Any, help: str, **more: Any) -> Any:  # noqa: A002 - the word that command lines use
    """A dataclass field that is an option of the command line; ``more`` are fields of `OptionField`."""
    return dataclasses.field(default=default, metadata={DECLARATION: OptionField(flags=flags, help=help, **more)})


def arguments(*, metavar: str) -> Any:
    """A dataclass field that takes the arguments of a verb."""
    return option(default=(), help="", metavar=metavar)


def declared(group: type) -> dict[str, tuple[Any, OptionField]]:
    """The default and the declaration of each field of a dataclass that is an option, by the field's name."""
    return {
        field.name: (field.default, field.metadata[DECLARATION])
        for field in dataclasses.fields(group)
        if DECLARATION in field.metadata
    }
