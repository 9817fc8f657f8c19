"""Which components a stack consists of: names, collections and definitions put together.

A component may be described in layers: the catalog's, under one of ``define``, under one of ``components``. Names that
nobody defines, collections that contain themselves, namesakes and needs that nothing meets are all reported together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from cluster_forge.foundation.errors import DescriptionError, ForgeError, UnknownNameError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack import merge
from cluster_forge.stack.catalog_port import Catalog, NoCatalog
from cluster_forge.stack.collections import Flattening
from cluster_forge.stack.model import Notice, Target
from cluster_forge.yaml.positioned import Positioned

MOST_HINTS = 20
"""Errors after which nobody is told any more which name was likely meant: to find it takes a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A component's description in layers, lowest first."""

    name: str
    layers: tuple[Positioned, ...]
    named: str = ""
    """Where the stack names it, if nothing there describes it."""

    @property
    def merged(self) -> Positioned:
        return merge.positioned(*self.layers)

    @property
    def where(self) -> str:
        return self.named or self.layers[-1].where


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """``stack``: what is in the stack, in the order of first naming. ``known``: every component that is described.

    ``collections``: the components of each, without repetition. ``offered``: what the catalog has besides.
    """

    stack: tuple[str, ...]
    known: Mapping[str, Entry]
    collections: Mapping[str, tuple[str, ...]]
    offered: frozenset[str] = frozenset()
    wired: frozenset[str] = frozenset()
    """Components that the catalog describes, or changes."""
    notices: tuple[Notice, ...] = ()

    def members(self, name: str) -> tuple[str, ...]:
        """The components that a known component's or collection's name stands for."""
        return self.collections.get(name, (name,))

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.known, *self.collections, *sorted(self.offered - self.known.keys()))


def resolve(
    description: Positioned,
    errors: list[ForgeError],
    *,
    catalog: Catalog | None = None,
    target: Target | None = None,
    skip: Iterable[str] = (),
) -> Resolved:
    """Put the description's names together; what is wrong goes into ``errors``."""
    catalog = catalog or NoCatalog()
    offered = frozenset(catalog.names())
    known = _known(description, errors)
    names = offered | known.keys()
    collections = _collections(description, known, names, catalog.collections(), errors)
    named: dict[str, str] = {}
    for name, place in _stack(description, names, collections, errors):
        named.setdefault(name, place)
    completed = catalog.completed(
        named, {name: entry.merged for name, entry in known.items()}, target or Target(), frozenset(skip)
    )
    errors.extend(completed.errors)
    for name, layers in completed.layers.items():
        own = known.get(name)
        known[name] = (
            replace(own, layers=_over_catalog(layers, own.layers))
            if own
            else Entry(name=name, layers=layers, named=named.get(name, ""))
        )
    resolved = Resolved(
        stack=tuple(name for name in completed.stack if name in known),
        known=known,
        collections=collections,
        offered=offered,
        wired=frozenset(completed.layers),
        notices=completed.notices,
    )
    for name in resolved.stack:
        _check_needs(resolved, known[name], errors)
    return resolved


_ADDED = ("needs", "objects", "secrets")


def _over_catalog(below: tuple[Positioned, ...], own: Iterable[Positioned]) -> tuple[Positioned, ...]:
    """The user's layers over the catalog's. Of some lists what the catalog has stays: who wants one object more would
    otherwise lose, without a word, budgets, routes and Secrets that he has never seen; an empty list takes all away.
    """
    for layer in own:
        beneath = merge.positioned(*below)
        identity = partial(_identity, namespace=_text(layer, "namespace") or _text(beneath, "namespace"))
        lists = {
            key: merge.joined(there, member, identity)
            for key in _ADDED
            if (member := layer.get(key)) and (there := beneath.get(key)) and member.items
        }
        below = (*below, replace(layer, content=MappingProxyType({**layer.mapping, **lists})))
    return below


def _identity(item: Positioned, namespace: str) -> object:
    """What makes an object, a Secret or a need the same as another one; None for what has no name."""
    named = item.get("metadata") or item
    group = _text(item, "apiVersion").rpartition("/")[0]
    name = item.string or _text(named, "name")
    return (group, _text(item, "kind"), _text(named, "namespace") or namespace, name) if name else None


def _text(item: Positioned, key: str) -> str:
    member = item.get(key)
    return member.string or "" if member else ""


def select(
    resolved: Resolved, names: Sequence[Positioned], skip: Sequence[Positioned], errors: list[ForgeError]
) -> tuple[str, ...]:
    """The stack's components that ``names`` stand for (all of them without names), without those of ``skip``."""
    chosen: set[str] = set()
    for name in names:
        members = _expected(resolved, name, errors)
        chosen.update(members)
        absent = [member for member in members if member not in resolved.stack]
        if absent:
            errors.append(_not_in_stack(name, absent))
    left_out = {member for name in skip for member in _expected(resolved, name, errors)}
    kept = tuple(name for name in resolved.stack if name not in left_out and (not names or name in chosen))
    if resolved.stack and not kept and not errors:
        errors.append(DescriptionError("nothing is left of the stack", fix="name other components, or skip fewer"))
    return kept


def expanded(description: Positioned, resolved: Resolved, kept: Collection[str]) -> Positioned:
    """The description with every component of the stack written out, if the catalog had a word in it."""
    if not resolved.wired:
        return description
    entries = tuple(merge.without_nulls(resolved.known[name].merged) for name in resolved.stack if name in kept)
    whole = dict(description.content) if isinstance(description.content, Mapping) else {}
    whole["components"] = Positioned(entries, description.file, description.line)
    return replace(description, content=MappingProxyType(whole)).without("define", "collections", "catalogs")


def _known(description: Positioned, errors: list[ForgeError]) -> dict[str, Entry]:
    layers: dict[str, list[Positioned]] = {}
    for section in ("define", "components"):
        seen: dict[str, Positioned] = {}
        for entry in _entries(description, section):
            name = _name(entry)
            if name in seen:
                errors.append(_twice(name, entry, seen[name]))
                continue
            seen[name] = entry
            layers.setdefault(name, []).append(entry)
    return {name: Entry(name=name, layers=tuple(found)) for name, found in layers.items()}


def _entries(description: Positioned, section: str) -> Iterator[Positioned]:
    listed = description.get(section)
    for entry in listed.items if listed else ():
        if _name(entry):
            yield entry


def _name(entry: Positioned) -> str:
    name = entry.get("name")
    return (name.string or "") if name else ""


def _collections(
    description: Positioned,
    known: Mapping[str, Entry],
    names: Collection[str],
    offered: Mapping[str, Sequence[str]],
    errors: list[ForgeError],
) -> dict[str, tuple[str, ...]]:
    section = description.get("collections")
    own = section.mapping if section else {}
    more = {
        name: Positioned.of(list(members), Positioned((), f"catalog:{name}"))
        for name, members in offered.items()
        if name not in known
    }
    described = {**more, **own}
    for name, collection in own.items():
        if name in known:
            errors.append(
                _twice(name, collection, known[name].layers[-1], "a component and a collection are both called {}")
            )
        for member in collection.items:
            if member.string is not None and member.string not in names and member.string not in described:
                hints = (*names, *described) if len(errors) < MOST_HINTS else ()
                message = f"the collection {name} contains {member.string!r}, which nobody defines"
                errors.append(_unknown(member, hints, message))
    return Flattening(described, names, errors).all()


def _stack(
    description: Positioned,
    names: Collection[str],
    collections: Mapping[str, tuple[str, ...]],
    errors: list[ForgeError],
) -> Iterator[tuple[str, str]]:
    """The components of the stack, each with where it is named."""
    section = description.get("components")
    for item in section.items if section else ():
        name = item.string if item.string is not None else _name(item)
        if name in collections:
            yield from ((member, item.where) for member in collections[name])
        elif name in names:
            yield name, item.where
        elif item.string is not None:
            hints = (*names, *collections) if len(errors) < MOST_HINTS else ()
            errors.append(_unknown(item, hints, f"nobody defines a component or collection {name!r}"))


def _check_needs(resolved: Resolved, entry: Entry, errors: list[ForgeError]) -> None:
    for need in entry.merged.strings("needs"):
        name = str(need.content)
        if name == entry.name:
            errors.append(
                DescriptionError(f"{name} needs itself", where=need.where or None, fix="take it out of its `needs`")
            )
        elif name in resolved.collections:
            errors.append(
                DescriptionError(
                    f"{entry.name} needs {name}, which is a collection",
                    where=need.where or None,
                    fix="name the components that it needs",
                )
            )
        elif name not in resolved.known and name not in resolved.offered:
            hints = resolved.names if len(errors) < MOST_HINTS else ()
            errors.append(_unknown(need, hints, f"{entry.name} needs {name!r}, which nobody defines"))
        elif name not in resolved.stack:
            errors.append(
                DescriptionError(
                    f"{entry.name} needs {name}, which is not in the stack",
                    where=need.where or None,
                    fix=f"add {name} to `components`",
                )
            )


def _expected(resolved: Resolved, name: Positioned, errors: list[ForgeError]) -> tuple[str, ...]:
    text = str(name.content)
    if text in resolved.known or text in resolved.collections or text in resolved.offered:
        return resolved.members(text)
    hints = resolved.names if len(errors) < MOST_HINTS else ()
    errors.append(_unknown(name, hints, f"nobody defines a component or collection {text!r}"))
    return ()


def _not_in_stack(name: Positioned, absent: Sequence[str]) -> DescriptionError:
    text = str(name.content)
    message = (
        f"{text} is not in the stack"
        if absent == [text]
        else f"of {text} these are not in the stack: {', '.join(absent)}"
    )
    return DescriptionError(
        message,
        where=name.where or None,
        fix="add it to `components`" if len(absent) == 1 else "add them to `components`",
    )


def _unknown(named: Positioned, known: Iterable[str], message: str) -> UnknownNameError:
    near = did_you_mean(str(named.content), known)
    fix = None if near else "correct the name, or describe the component: `name` with `helm` or `manifests`"
    return UnknownNameError(f"{message}{near}", where=named.where or None, fix=fix)


def _twice(
    name: str, second: Positioned, first: Positioned, message: str = "two components are called {}"
) -> DescriptionError:
    return DescriptionError(
        f"{message.format(repr(name))}: here and at {first.where}",
        where=second.where,
        fix="rename one of them, or make one of the two",
    )
