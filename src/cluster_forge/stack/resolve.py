"""Which components a stack consists of: names, collections and definitions put together.

A component may be described in layers: the catalog's, one under ``define``, one under ``components``. Unknown names,
cycles of collections, duplicate names and unmet needs are all reported together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError, UnknownNameError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack import catalog_overlay, merge
from cluster_forge.stack.catalog_port import Catalog, CompletedStack, Frame, NoCatalog
from cluster_forge.stack.collections import flattened
from cluster_forge.stack.model import Notice
from cluster_forge.stack.named_values import NamedValues
from cluster_forge.stack.variables.description import Expansion
from cluster_forge.yaml.positioned import Positioned

RESERVED: Final = MappingProxyType(
    {
        "argo-apps": "working/argo-apps/ holds the Argo CD Applications",
        "flux": "working/flux/ holds what Flux delivers the stack by (the component with Flux is flux2)",
        "namespaces": "working/namespaces/ holds the namespaces that the stack needs and no component defines",
    }
)
"""Names that no component may have, each with its use."""

MOST_HINTS: Final = 20
"""Errors after which no similar name is looked for: each search takes a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayeredComponent:
    """A component's description in layers, lowest first."""

    name: str
    layers: tuple[Positioned, ...]
    named: str = ""
    """Where the stack names it, if it is described only in the catalog."""
    names: NamedValues | None = None
    """What its texts may refer to, in a description with variables."""

    @property
    def merged(self) -> Positioned:
        return merge.positioned(*self.layers)

    @property
    def where(self) -> str:
        return self.named or self.layers[-1].where


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """``stack``: the components of the stack, in the order in which they are first named. ``known``: every component
    that is described. ``collections``: the components of each, without duplicates. ``offered``: the catalog's components.
    """

    stack: tuple[str, ...]
    known: Mapping[str, LayeredComponent]
    collections: Mapping[str, tuple[str, ...]]
    offered: frozenset[str] = frozenset()
    from_catalog: frozenset[str] = frozenset()
    """Components of the stack that the catalog describes or adds to."""
    notices: tuple[Notice, ...] = ()
    provides: Mapping[str, Collection[str]] = field(default_factory=dict)
    """The capabilities that each component of the catalog provides."""
    brought: frozenset[str] = frozenset()
    """The capabilities that the target's distribution brings."""

    def members(self, name: str) -> tuple[str, ...]:
        """The components that a component's or collection's name stands for."""
        return self.collections.get(name, (name,))

    @property
    def names(self) -> Iterator[str]:
        return chain(self.known, self.collections, (name for name in self.offered if name not in self.known))


def resolve(  # noqa: PLR0913 - the description, and what surrounds it
    description: Positioned,
    errors: list[ForgeError],
    *,
    catalog: Catalog | None = None,
    frame: Frame | None = None,
    removed: Mapping[str, Positioned] = MappingProxyType({}),
    expansion: Expansion | None = None,
) -> Resolved:
    """Put the description's names together; ``removed`` are its entries that remove components, ``expansion`` its variables.
    Errors go into ``errors``.
    """
    catalog = catalog or NoCatalog()
    offered = frozenset(catalog.names())
    known = _known(description, errors)
    names = offered | known.keys()
    collections = _collections(description, known, catalog, removed, errors)
    named: dict[str, str] = {}
    for name, where in _stack(description, names, collections, errors):
        named.setdefault(name, where)
    completed = catalog.completed(named, {name: entry.merged for name, entry in known.items()}, frame or Frame())
    errors.extend(completed.errors)
    if expansion:
        known = {name: _expanded(entry, expansion, completed) for name, entry in known.items()}
    for name, layers in completed.layers.items():
        own = known.get(name)
        known[name] = (
            replace(own, layers=catalog_overlay.overlaid(layers, own.layers))
            if own
            else LayeredComponent(name=name, layers=layers, named=named.get(name, ""))
        )
    resolved = Resolved(
        stack=tuple(name for name in completed.stack if name in known),
        known=known,
        collections=collections,
        offered=offered,
        from_catalog=frozenset(completed.layers),
        notices=completed.notices,
        provides=completed.provides,
        brought=completed.brought,
    )
    for name in resolved.stack:
        if name in RESERVED:
            errors.append(_reserved(name, known[name]))
        _check_needs(resolved, known[name], removed, errors)
    return resolved


def _expanded(entry: LayeredComponent, expansion: Expansion, completed: CompletedStack) -> LayeredComponent:
    """The description's part of a component, with its variables replaced."""
    whole = merge.positioned(*completed.layers.get(entry.name, ()), *entry.layers)
    layers, names = expansion.layers(
        entry.name,
        entry.layers,
        whole.string_of("namespace") or "default",
        completed.facts,
        is_used=entry.name in completed.stack,
    )
    return replace(entry, layers=layers, names=names)


def unknown_name(
    named: Positioned, message: str, known: Iterable[str], errors: Collection[ForgeError]
) -> UnknownNameError:
    """The error for a name that is not among ``known``, with a similar one unless there are many ``errors`` already."""
    near = did_you_mean(str(named.content), known) if len(errors) < MOST_HINTS else ""
    fix = None if near else "correct the name, or define the component with `helm` or `manifests`"
    return UnknownNameError(f"{message}{near}", where=named.where or None, fix=fix)


def _known(description: Positioned, errors: list[ForgeError]) -> dict[str, LayeredComponent]:
    layers: dict[str, list[Positioned]] = {}
    for section in ("define", "components"):
        first: dict[str, Positioned] = {}
        for entry in _entries(description, section):
            name = entry.string_of("name")
            if name in first:
                errors.append(_duplicate(f"duplicate component {name!r}: already defined", entry, first[name].where))
                continue
            first[name] = entry
            layers.setdefault(name, []).append(entry)
    return {name: LayeredComponent(name=name, layers=tuple(described)) for name, described in layers.items()}


def _entries(description: Positioned, section: str) -> Iterator[Positioned]:
    listed = description.get(section)
    for entry in listed.items if listed else ():
        if entry.string_of("name"):
            yield entry


def _collections(
    description: Positioned,
    known: Mapping[str, LayeredComponent],
    catalog: Catalog,
    removed: Mapping[str, Positioned],
    errors: list[ForgeError],
) -> dict[str, tuple[str, ...]]:
    names = frozenset(catalog.names()) | known.keys()
    section = description.get("collections")
    own = section.mapping if section else {}
    from_catalog = {
        name: Positioned.of(list(members), Positioned((), f"catalog:{name}"))
        for name, members in catalog.collections().items()
        if name not in known
    }
    described = {**from_catalog, **own}
    for name, collection in own.items():
        if name in known:
            message = f"duplicate name {name!r}: a component has the same name"
            errors.append(_duplicate(message, collection, known[name].layers[-1].where))
        for member in collection.items:
            if member.string is None or member.string in names or member.string in described:
                continue
            if member.string in removed:
                fix = f"write the members that stay beside the removal: `collections: {{{name}: […]}}`"
                errors.append(_removed(member, f"collection {name} contains", removed[member.string], fix))
            else:
                message = f"collection {name} contains the unknown name {member.string!r}"
                errors.append(unknown_name(member, message, chain(names, described), errors))
    return flattened(described, names, errors)


def _stack(
    description: Positioned,
    names: Collection[str],
    collections: Mapping[str, tuple[str, ...]],
    errors: list[ForgeError],
) -> Iterator[tuple[str, str]]:
    """The components of the stack, each with where it is named."""
    section = description.get("components")
    for item in section.items if section else ():
        name = item.string if item.string is not None else item.string_of("name")
        if name in collections:
            yield from ((member, item.where) for member in collections[name])
        elif name in names:
            yield name, item.where
        elif item.string is not None:
            message = f"unknown component or collection {name!r}"
            errors.append(unknown_name(item, message, chain(names, collections), errors))


def _check_needs(
    resolved: Resolved, entry: LayeredComponent, removed: Mapping[str, Positioned], errors: list[ForgeError]
) -> None:
    for need in entry.merged.strings("needs"):
        name = str(need.content)
        if name == entry.name:
            error: ForgeError = _need_error(need, f"{name} needs itself", fix=f"remove {name} from its `needs`")
        elif name in removed and name not in resolved.stack:
            fix = f"take it out of the `needs` of {entry.name} as well, or keep it"
            error = _removed(need, f"{entry.name} needs", removed[name], fix)
        elif name in resolved.collections:
            message = f"{entry.name} needs {name}, which is a collection"
            error = _need_error(need, message, fix=f"list the components of {name} that it needs")
        elif name not in resolved.known and name not in resolved.offered:
            message = f"{entry.name} needs the unknown component {name!r}"
            error = unknown_name(need, message, resolved.names, errors)
        elif name not in resolved.stack:
            message = f"{entry.name} needs {name}, which is not in the stack"
            error = _need_error(need, message, fix=f"add {name} to `components`")
        else:
            continue
        errors.append(error)


def _reserved(name: str, entry: LayeredComponent) -> DescriptionError:
    place = entry.layers[-1].get("name")
    return DescriptionError(
        f"{name!r} cannot be the name of a component: {RESERVED[name]}",
        where=(place.where if place else "") or entry.where,
        fix=f"rename it, for example to {name}-own, also in `needs`",
    )


def _removed(named: Positioned, subject: str, removal: Positioned, fix: str) -> DescriptionError:
    return DescriptionError(
        f"{subject} {named.content}, which is removed at {removal.where}", where=named.where or None, fix=fix
    )


def _need_error(need: Positioned, message: str, *, fix: str) -> DescriptionError:
    return DescriptionError(message, where=need.where or None, fix=fix)


def _duplicate(message: str, second: Positioned, first: str) -> DescriptionError:
    return DescriptionError(
        f"{message} at {first}", where=second.where, fix="rename one of the two, or merge them into one"
    )
