"""The variables of one description: where they are declared, and what their values make of the description.

A description refers to variables only if it declares some (`vars`); in every other, ``${name}`` is text. It is expanded in two
steps: what decides which components a stack has, before they are known; what their own `values`, `objects` and `patches` say, after
that, since expressions there may ask for the component's namespace and for what others provide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.stack import merge
from cluster_forge.stack.named_values import COMPONENT, PROVIDES, TARGET, VARS, NamedValues
from cluster_forge.stack.variables import given, references, resolution
from cluster_forge.stack.variables.expansion import Expander, escaped
from cluster_forge.stack.variables.options import GivenVariables
from cluster_forge.stack.variables.places import Read
from cluster_forge.stack.variables.resolution import TargetFacts
from cluster_forge.yaml.positioned import Path, Positioned

_LISTS: Final = ("components", "define")
_EARLY: Final = ("name", "namespace", "version", "helm", "manifests", "kustomize", "needs")
"""The keys of a component by which it is known which components there are."""
_SUBSTITUTE: Final = "substitute"
_CLUSTERS, _VARIABLES = "clusters", "variables"

Facts = Mapping[str, Mapping[str, str]]
"""What components provide: attributes by the names of components and capabilities."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """The variables of a description that has some. ``declared`` are their parts, ``names`` their values."""

    declared: Mapping[str, Positioned]
    names: NamedValues
    read: Read
    expander: Expander = field(repr=False)

    def expanded(self, description: Positioned) -> Positioned:
        """The description without `vars`; what a component's own values and objects say stays as it is."""
        members = {
            key: self._entries(member, key)
            if key in (*_LISTS, _CLUSTERS)
            else self.expander.expanded(member, self.names)
            for key, member in description.mapping.items()
            if key != VARS
        }
        return replace(description, content=MappingProxyType(members))

    def layers(
        self, name: str, own: tuple[Positioned, ...], namespace: str, facts: Facts, *, is_used: bool
    ) -> tuple[tuple[Positioned, ...], NamedValues]:
        """The description's layers of a component, expanded, and the names that they could use.

        One that is not in the stack may ask for what only others with it provide: its errors do not count.
        """
        names = self.names.with_facts(**{COMPONENT: {"name": name, "namespace": namespace}, PROVIDES: facts})
        expander = self.expander if is_used else Expander(self.read, [])
        return tuple(expander.expanded(layer, names) for layer in own), names

    def has_facts(self, description: Positioned) -> bool:
        """Whether something in the description may ask for what components provide."""
        return any(_SUBSTITUTE in entry.mapping for entry in _entries_of(description)) or any(
            PROVIDES in text for text in _texts(description)
        )

    def shown(self, effective: Mapping[str, Any]) -> dict[str, Any]:
        """An expanded description with the variables, so that reading it again gives the same stack."""
        values = {name: self.names.variables.get(name) for name in self.declared}  # null where one must be given
        head = {key: effective[key] for key in ("apiVersion", "kind", "name") if key in effective}
        rest = {key: effective[key] for key in effective if key not in head}
        shown = {key: escaped(value) for key, value in {**head, VARS: values, **rest}.items()}
        for entry, described in zip(shown.get(_CLUSTERS, ()), effective.get(_CLUSTERS, ()), strict=True):
            if _VARIABLES in entry:  # these have their references still
                entry[_VARIABLES] = described[_VARIABLES]
        return shown

    @property
    def values(self) -> dict[str, Positioned]:
        """The value of each variable that has one, at the place of its declaration."""
        names = self.names
        return {
            name: replace(Positioned.of(names.variables[name], part), text=names.texts.get(name, ""))
            for name, part in self.declared.items()
            if name in names.variables
        }

    def origins(self) -> Iterator[tuple[Path, str]]:
        """Where the value of each variable comes from."""
        for name, part in self.declared.items():
            yield (VARS, name), part.where
            yield from part.origins((VARS, name))

    def _entries(self, listed: Positioned, section: str) -> Positioned:
        if not listed.items:
            return listed
        return replace(listed, content=tuple(self._entry(entry, section) for entry in listed.items))

    def _entry(self, entry: Positioned, section: str) -> Positioned:
        """An entry with what is expanded early; the variables of a cluster may refer to those of its environment."""
        if not isinstance(entry.content, Mapping):
            return self.expander.expanded(entry, self.names)
        members = {
            key: self.expander.expanded(member, self.names)
            if (key != _VARIABLES if section == _CLUSTERS else key in _EARLY)
            else member
            for key, member in entry.content.items()
        }
        return replace(entry, content=MappingProxyType(members))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where values come from, over those of the description: the ``cluster`` that it is for, and the command line."""

    cluster: Mapping[str, Positioned] = field(default_factory=dict)
    given: tuple[GivenVariables, ...] = ()


def begun(
    description: Positioned,
    sources: Sources,
    facts: TargetFacts,
    read: Read,
    errors: list[ForgeError],
) -> Expansion | None:
    """The variables of a merged description; None if it declares none. Errors go into ``errors``."""
    section = description.get(VARS)
    if section and references.are_in(section.content):
        errors.append(
            DescriptionError("`vars` must be a mapping", where=section.where, fix="write `name: value` lines")
        )
    section = section if section and section.content is not None else None
    declared = given.over(section.mapping if section else {}, sources.cluster, sources.given, errors)
    errors += _undeclared_of_clusters(description, section)
    if section is None:
        return None
    texts = {source.place: source.text.encode() for source in sources.given}

    def read_any(path: str) -> bytes | None:
        return texts[path] if path in texts else read(path)

    expander = Expander(read_any, errors)
    target = description.get(TARGET)
    target = merge.without_nulls(target) if target else None
    return Expansion(declared, resolution.resolved(declared, target, facts, expander), read_any, expander)


def _undeclared_of_clusters(description: Positioned, section: Positioned | None) -> Iterator[ForgeError]:
    """Errors for variables of clusters that the description does not declare."""
    clusters = description.get(_CLUSTERS)
    declared = section.mapping if section else {}
    for entry in clusters.items if clusters else ():
        for name, part in entry.at((_VARIABLES,)).mapping.items() if _VARIABLES in entry.mapping else ():
            if name not in declared:
                yield given.undeclared(name, part, declared)


def without_declarations(values: Iterable[GivenVariables], where: str) -> Iterator[ForgeError]:
    """Errors for variables that are given to a list in the legacy format, which declares none."""
    for source in values:
        yield DescriptionError(
            f"{source.place}: a list in the legacy format has no variables",
            where=where,
            fix="convert it to the native format: `cluster-forge convert`",
        )


def _entries_of(description: Positioned) -> Iterator[Positioned]:
    for section in _LISTS:
        listed = description.get(section)
        yield from listed.items if listed else ()


def _texts(part: Positioned) -> Iterator[str]:
    if part.string is not None:
        yield part.string
    for inner in (*part.mapping.values(), *part.items):
        yield from _texts(inner)
