"""The options that give variables of a description their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cluster_forge.foundation.option_fields import option
from cluster_forge.stack.variables import references


def check_setting(setting: str) -> None:
    """Refuse anything but ``NAME=VALUE``.

    Raises:
        ValueError: for anything else.
    """
    name, equals, _ = setting.partition("=")
    if not equals or not references.is_name(name):
        raise ValueError(f"{name!r} is not NAME=VALUE, like replicas=3; a name has letters, digits and underscores")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenVariables:
    """YAML text with variables: a file's mapping, or the value of one ``name``. ``place`` is what errors call it."""

    place: str
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableOptions:
    """Values for variables that the description declares; a value of ``set`` wins over one of a file."""

    HEADING: ClassVar = "Selection options"

    set: tuple[str, ...] = option(
        "--set",
        default=(),
        metavar="NAME=VALUE",
        check=check_setting,
        help="Set a variable of the description; the value is read as YAML (repeatable).",
    )
    vars_file: tuple[str, ...] = option(
        "--vars-file", default=(), metavar="FILE", is_path=True, help="Read variables from a YAML file (repeatable)."
    )

    @property
    def settings(self) -> tuple[GivenVariables, ...]:
        """The values of ``set``, one by one."""
        parts = (setting.partition("=") for setting in self.set)
        return tuple(GivenVariables(place=f"--set {name}", text=value, name=name) for name, _, value in parts)
