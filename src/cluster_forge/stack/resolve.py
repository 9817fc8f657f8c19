"""Which components a stack consists of: names, collections and definitions put together.

A component may be described in layers: the catalog's, under one of ``define``, under one of ``components``. Names that
nobody defines, collections that contain themselves, namesakes and needs that nothing meets are all reported together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cluster_forge.foundation.errors import DescriptionError, ForgeError, UnknownNameError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack import merge
from cluster_forge.stack.traced import Traced

_MOST_NESTED = 50
"""Collections inside of each other."""

_MOST_CIRCLES = 100

MOST_HINTS = 20
"""Errors after which nobody is told any more which name was likely meant: to find it takes a while."""

Catalog = Mapping[str, Mapping[str, object]]
"""What a catalog says of components, in the description's own format, by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A component's description in layers, lowest first."""

    name: str
    layers: tuple[Traced, ...]

    @property
    def merged(self) -> Traced:
        return merge.traced(*self.layers)

    @property
    def where(self) -> str:
        return self.layers[-1].where


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """``stack``: what is in the stack, in the order of first naming. ``known``: every component that could be.

    ``collections``: the components of each, without repetition.
    """

    stack: tuple[str, ...]
    known: Mapping[str, Entry]
    collections: Mapping[str, tuple[str, ...]]

    def members(self, name: str) -> tuple[str, ...]:
        """The components that a known component's or collection's name stands for."""
        return self.collections.get(name, (name,))

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.known, *self.collections)


def resolve(description: Traced, catalog: Catalog, errors: list[ForgeError]) -> Resolved:
    """Put the description's names together; what is wrong goes into ``errors``."""
    known = _known(description, catalog, errors)
    collections = _collections(description, known, errors)
    stack = tuple(dict.fromkeys(_stack(description, known, collections, errors)))
    resolved = Resolved(stack=stack, known=known, collections=collections)
    for name in stack:
        _check_needs(resolved, known[name], errors)
    return resolved


def select(
    resolved: Resolved, names: Sequence[Traced], skip: Sequence[Traced], errors: list[ForgeError]
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


def _known(description: Traced, catalog: Catalog, errors: list[ForgeError]) -> dict[str, Entry]:
    layers: dict[str, list[Traced]] = {}
    for name, body in catalog.items():
        layers[name] = [Traced.of({**body, "name": name}, Traced(None, f"catalog:{name}"))]
    for section in ("define", "components"):
        seen: dict[str, Traced] = {}
        for entry in _entries(description, section):
            name = _name(entry)
            if name in seen:
                errors.append(_twice(name, entry, seen[name]))
                continue
            seen[name] = entry
            layers.setdefault(name, []).append(entry)
    return {name: Entry(name=name, layers=tuple(found)) for name, found in layers.items()}


def _entries(description: Traced, section: str) -> Iterator[Traced]:
    listed = description.get(section)
    for entry in listed.items if listed else ():
        if _name(entry):
            yield entry


def _name(entry: Traced) -> str:
    name = entry.get("name")
    return (name.string or "") if name else ""


def _collections(
    description: Traced, known: Mapping[str, Entry], errors: list[ForgeError]
) -> dict[str, tuple[str, ...]]:
    section = description.get("collections")
    described = section.mapping if section else {}
    for name, collection in described.items():
        if name in known:
            errors.append(
                _twice(name, collection, known[name].layers[-1], "a component and a collection are both called {}")
            )
        for member in collection.items:
            if member.string is not None and member.string not in known and member.string not in described:
                hints = (*known, *described) if len(errors) < MOST_HINTS else ()
                message = f"the collection {name} contains {member.string!r}, which nobody defines"
                errors.append(_unknown(member, hints, message))
    return _Flattening(described, known, errors).all()


class _Flattening:
    """Collections of collections as lists of components; a circle is reported where it closes."""

    def __init__(self, described: Mapping[str, Traced], known: Mapping[str, Entry], errors: list[ForgeError]) -> None:
        self._described = described
        self._known = known
        self._errors = errors
        self._done: dict[str, tuple[str, ...]] = {}

    def all(self) -> dict[str, tuple[str, ...]]:
        return {name: self._flat(name, ()) for name in self._described}

    def _flat(self, name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if name in self._done:
            return self._done[name]
        inside = (*path, name)
        found: dict[str, None] = {}
        for member in self._described[name].items:
            inner = member.string
            if inner is None:
                continue
            if inner in inside:
                self._circle(inside[inside.index(inner) :], member)
            elif len(inside) > _MOST_NESTED:
                self._too_deep(member)
            elif inner in self._described:
                found.update(dict.fromkeys(self._flat(inner, inside)))
            elif inner in self._known:
                found[inner] = None
        self._done[name] = tuple(found)
        return self._done[name]

    def _too_deep(self, member: Traced) -> None:
        self._note(
            DescriptionError(
                f"collections stand in each other more than {_MOST_NESTED} levels deep",
                where=member.where,
                fix="name the components themselves",
            )
        )

    def _circle(self, circle: tuple[str, ...], member: Traced) -> None:
        shown = " → ".join((*circle, circle[0]))
        self._note(
            DescriptionError(
                f"a collection contains itself: {shown}",
                where=member.where,
                fix="take one of these names out of the other's collection",
            )
        )

    def _note(self, error: ForgeError) -> None:
        """Collections that all contain each other close millions of circles, of which nobody reads the hundredth."""
        if len(self._errors) < _MOST_CIRCLES:
            self._errors.append(error)


def _stack(
    description: Traced,
    known: Mapping[str, Entry],
    collections: Mapping[str, tuple[str, ...]],
    errors: list[ForgeError],
) -> Iterator[str]:
    section = description.get("components")
    for item in section.items if section else ():
        name = item.string if item.string is not None else _name(item)
        if name in collections:
            yield from collections[name]
        elif name in known:
            yield name
        elif item.string is not None:
            hints = (*known, *collections) if len(errors) < MOST_HINTS else ()
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
        elif name not in resolved.known:
            hints = resolved.known if len(errors) < MOST_HINTS else ()
            errors.append(_unknown(need, hints, f"{entry.name} needs {name!r}, which nobody defines"))
        elif name not in resolved.stack:
            errors.append(
                DescriptionError(
                    f"{entry.name} needs {name}, which is not in the stack",
                    where=need.where or None,
                    fix=f"add {name} to `components`",
                )
            )


def _expected(resolved: Resolved, name: Traced, errors: list[ForgeError]) -> tuple[str, ...]:
    text = str(name.content)
    if text in resolved.known or text in resolved.collections:
        return resolved.members(text)
    hints = resolved.names if len(errors) < MOST_HINTS else ()
    errors.append(_unknown(name, hints, f"nobody defines a component or collection {text!r}"))
    return ()


def _not_in_stack(name: Traced, absent: Sequence[str]) -> DescriptionError:
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


def _unknown(named: Traced, known: Iterable[str], message: str) -> UnknownNameError:
    near = did_you_mean(str(named.content), known)
    fix = None if near else "correct the name, or describe the component: `name` with `helm` or `manifests`"
    return UnknownNameError(f"{message}{near}", where=named.where or None, fix=fix)


def _twice(name: str, second: Traced, first: Traced, message: str = "two components are called {}") -> DescriptionError:
    return DescriptionError(
        f"{message.format(repr(name))}: here and at {first.where}",
        where=second.where,
        fix="rename one of them, or make one of the two",
    )
