"""Gives every variable its value: what ``vars`` says, with what its texts refer to, in any order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack.named_values import (
    TARGET,
    VARS,
    NamedValues,
    UnresolvedError,
    VariableValue,
    check_missing,
    members_of_vars,
)
from cluster_forge.stack.variables import references
from cluster_forge.stack.variables.expansion import Expander
from cluster_forge.stack.variables.expressions import LARGEST
from cluster_forge.yaml.positioned import Positioned

DEEPEST: Final = 50
"""Variables that refer to each other in a row."""

TargetFacts = Callable[[Positioned | None], Mapping[str, Any]]
"""What an expanded `target` section says, with its defaults."""
Builtin: Final = ("domain", "size")
"""Of the target: names of variables, too, unless the description has a variable that is called so."""


def resolved(
    declared: Mapping[str, Positioned], target: Positioned | None, facts: TargetFacts, expander: Expander
) -> NamedValues:
    """The variables of ``declared`` with their values, and the facts of the target, which may refer to them itself.

    What is wrong goes into the errors of ``expander``.
    """
    resolution = _Resolution(declared, target, facts, expander)
    for name in declared:
        resolution.finish(name)
    return resolution.values()


class _Resolution:
    """`Names` of variables while they get their values. A name that is being resolved is open."""

    def __init__(
        self,
        declared: Mapping[str, Positioned],
        target: Positioned | None,
        facts: TargetFacts,
        expander: Expander,
    ) -> None:
        self._declared = declared
        self._section = target
        self._facts_of = facts
        self._expander = expander
        self._target: Mapping[str, Any] | None = None
        self._resolved: dict[str, VariableValue] = {}
        self._missing: dict[str, None] = {}
        self._failed: dict[str, None] = {}
        self._open: list[str] = []

    def finish(self, name: str) -> None:
        """Give a variable its value, and all that it refers to."""
        if name in self._resolved or name in self._missing or name in self._failed:
            return
        part = self._declared[name]
        if part.content is None:
            self._missing[name] = None
            return
        before = len(self._expander.errors)
        self._open.append(name)
        expanded = self._expander.expanded(part, self)
        self._open.pop()
        has_failed = name in self._failed or len(self._expander.errors) > before
        if has_failed or _refers(expanded, part) or self._is_too_large(expanded):
            self._failed[name] = None
        else:
            self._resolved[name] = VariableValue(value=expanded.plain, text=expanded.text)

    def values(self) -> NamedValues:
        """All of them."""
        target = self._target_facts()
        builtin = {name: target[name] for name in Builtin if name not in self._declared}
        return NamedValues(
            variables={**{name: value.value for name, value in self._resolved.items()}, **builtin},
            texts={name: value.text for name, value in self._resolved.items() if value.text},
            missing=tuple(self._missing),
            failed=tuple(self._failed),
            facts={TARGET: target},
        )

    def variable(self, name: str) -> VariableValue:
        if name in self._declared:
            self._enter(name)
            self.finish(name)
            check_missing(name, tuple(self._missing), tuple(self._failed))
            return self._resolved[name]
        if name in Builtin:
            return VariableValue(value=self._target_facts()[name])
        return NamedValues(variables=dict.fromkeys(self._declared)).variable(name)

    def in_expression(self, source: str, name: str) -> Any:
        if name == VARS:
            return {other: self.variable(other).value for other in members_of_vars(source) if other in self._declared}
        if name == TARGET:
            return self._target_facts()
        if name in self._declared or name in Builtin:
            return self.variable(name).value
        return NamedValues().in_expression(source, name)

    def known(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._declared, *Builtin, TARGET, VARS)))

    def _target_facts(self) -> Mapping[str, Any]:
        if self._target is None:
            self._enter(TARGET)
            self._open.append(TARGET)
            section = self._section and self._expander.expanded(self._section, self)
            self._open.pop()
            self._target = self._facts_of(section)
        return self._target

    def _enter(self, name: str) -> None:
        """Refuse a name that is open: a cycle, reported once."""
        if name in self._open:
            cycle = [*self._open[self._open.index(name) :], name]
            is_new = not any(other in self._failed for other in cycle)
            self._failed |= dict.fromkeys(other for other in cycle if other != TARGET)
            if not is_new:
                raise UnresolvedError
            raise UnresolvedError(
                f"variables refer to each other in a cycle: {' → '.join(cycle)}", "give one of them a value of its own"
            )
        if len(self._open) > DEEPEST:
            raise UnresolvedError(
                f"more than {DEEPEST} variables refer to each other in a row", "refer to the last ones directly"
            )

    def _is_too_large(self, part: Positioned) -> bool:
        size = len(json.dumps(part.plain, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
        if size > LARGEST:
            self._expander.errors.append(
                DescriptionError(
                    f"the value of a variable has {size:,} bytes (limit {LARGEST:,})",
                    where=part.where,
                    fix="put large texts into files: `configMaps: [{name: …, files: […]}]`",
                )
            )
        return size > LARGEST


def _refers(expanded: Positioned, part: Positioned) -> bool:
    """Whether a text that refers to something could not be expanded."""
    return expanded is part and references.are_in(part.content)
