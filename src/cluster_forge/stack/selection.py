"""Which part of a description is meant, and with which variables."""

from __future__ import annotations

from dataclasses import dataclass

from cluster_forge.foundation.option_fields import arguments, option
from cluster_forge.stack.variables.options import GivenVariables


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Names, files with names, names to leave out, and the environment; empty: the whole stack.

    ``given`` are the values for variables, later ones over earlier ones.
    """

    names: tuple[str, ...] = arguments(metavar="[NAME]...")
    select: tuple[str, ...] = option(
        "--select", default=(), metavar="FILE", help="Read names from a YAML list (repeatable)."
    )
    skip: tuple[str, ...] = option(
        "--skip", default=(), metavar="NAME", help="Leave a component or collection out (repeatable)."
    )
    environment: str | None = option(
        "--environment", default=None, metavar="NAME", help="Apply an environment of the description."
    )
    given: tuple[GivenVariables, ...] = ()
