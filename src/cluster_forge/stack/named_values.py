"""What the texts of one place may refer to: variables with their values, and facts that only expressions use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from cluster_forge.foundation.names import did_you_mean

COMPONENT: Final = "component"
PROVIDES: Final = "provides"
TARGET: Final = "target"
VARS: Final = "vars"
OF_COMPONENTS: Final = (COMPONENT, PROVIDES)
"""Facts that are known only where a component's own values, objects and patches are."""

_MEMBER: Final = re.compile(r"""\bvars\s*(?:\.\s*(\w+)|\[\s*["'](\w+)["']\s*\])""")


class UnresolvedError(ValueError):
    """Why a name has no value, and what to write; without a message where the error is reported already."""

    def __init__(self, message: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableValue:
    """The value of a variable, and how it looks inside a text: a number as it is written (``1.10``)."""

    value: Any
    text: str = ""

    @property
    def inside(self) -> str | None:
        """The value inside a text; None for a list, a mapping or null, which have none."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, str):
            return self.value
        return (self.text or str(self.value)) if isinstance(self.value, int | float) else None


class Names(Protocol):
    """The names that a text may use."""

    def variable(self, name: str) -> VariableValue:
        """The value of ``${name}``.

        Raises:
            UnresolvedError: if there is none.
        """

    def in_expression(self, source: str, name: str) -> Any:
        """The value of a name in an expression; KeyError if it is unknown.

        Raises:
            UnresolvedError: if it is known, and has no value here.
        """

    def known(self) -> tuple[str, ...]:
        """All names of expressions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedValues:
    """`Names` with values: ``variables`` (those without a value are ``missing``), ``texts`` of numbers as they are written,
    and ``facts``, which are ``target`` and, for a component, ``component`` and ``provides``.
    """

    variables: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    """Variables whose errors are reported already."""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def with_facts(self, **facts: Any) -> NamedValues:
        """The same with more facts."""
        return replace(self, facts={**self.facts, **facts})

    def variable(self, name: str) -> VariableValue:
        if name in self.variables:
            return VariableValue(value=self.variables[name], text=self.texts.get(name, ""))
        check_missing(name, self.missing, self.failed)
        if name in (*self.facts, *OF_COMPONENTS, VARS):
            raise UnresolvedError(f"{name!r} is not a variable", f"write an expression: `${{{{ {name}.… }}}}`")
        near = did_you_mean(name, (*self.variables, *self.missing))
        raise UnresolvedError(f"unknown variable {name!r}{near}", undeclared(name))

    def in_expression(self, source: str, name: str) -> Any:
        if name == VARS:
            return {
                member: self.variable(member).value for member in members_of_vars(source) if self._is_declared(member)
            }
        if self._is_declared(name):
            return self.variable(name).value
        if name in OF_COMPONENTS and name not in self.facts:
            raise UnresolvedError(
                f"`{name}` is not known here", "use it in the `values`, `objects` or `patches` of a component"
            )
        return self.facts[name]

    def known(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.variables, *self.missing, *self.facts, VARS)))

    def _is_declared(self, name: str) -> bool:
        return name in self.variables or name in self.missing or name in self.failed


def members_of_vars(source: str) -> tuple[str, ...]:
    """The variables that an expression uses as ``vars.NAME`` or ``vars["NAME"]``."""
    return tuple(dict.fromkeys(dotted or quoted for dotted, quoted in _MEMBER.findall(source)))


def check_missing(name: str, missing: tuple[str, ...], failed: tuple[str, ...]) -> None:
    """Refuse a variable that is declared and has no value.

    Raises:
        UnresolvedError: if it is one.
    """
    if name in failed:
        raise UnresolvedError
    if name in missing:
        raise UnresolvedError(
            f"the variable {name!r} has no value", f"give it one: --set {name}=…, or in `vars` or an environment"
        )


def undeclared(name: str) -> str:
    """What to write for the name of an unknown variable."""
    return f"declare it (`vars: {{{name}: …}}`), or write `$${{{name}}}` for text that stays as it is"
