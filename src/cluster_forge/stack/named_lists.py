"""Lists of named things merge by name: `components`, `define`, `catalogs` and `clusters`, across `extends` and `environments`.

An entry changes the one of its name in the layers below, which keeps its place; other entries come after them. Only what is
written is removed: an entry with ``remove: true``, or the whole list with null. All other lists replace (ADR 0021).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.stack import merge
from cluster_forge.stack.resolve import MOST_HINTS
from cluster_forge.yaml.positioned import Positioned

REMOVE: Final = "remove"
_COMPONENTS, _DEFINE, _CATALOGS, _CLUSTERS = "components", "define", "catalogs", "clusters"
_COLLECTIONS: Final = "collections"
SECTIONS: Final = (_COMPONENTS, _DEFINE, _CATALOGS, _CLUSTERS)
_VERSION: Final = "version"
_ENTRIES: Final = MappingProxyType({_CATALOGS: "catalog", _CLUSTERS: "cluster"})
"""What an entry is called; of the other lists, a component."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The merged description; ``removed`` are the entries by which the stack has fewer components, by name."""

    description: Positioned
    removed: Mapping[str, Positioned] = field(default_factory=dict)


def composed(layers: Sequence[Positioned], errors: list[ForgeError]) -> Composed:
    """The layers as one description, lowest first. Removals of what no lower layer has go into ``errors``."""
    merged = merge.positioned(*layers)
    lists = {section: _List(section) for section in SECTIONS}
    for layer in layers:
        for section, entries in lists.items():
            entries.add(layer.get(section))
    members = dict(merged.mapping)
    for section, entries in lists.items():
        listed = merged.get(section)
        if listed and (listed.items or entries.by_name):
            members[section] = replace(listed, content=tuple(entries.by_name.values()))
        for entry in entries.unmatched:
            known = entries.by_name if len(errors) < MOST_HINTS else ()
            errors.append(_nothing_to_remove(entry, section, merged, lists, known))
    return Composed(description=replace(merged, content=MappingProxyType(members)), removed=lists[_COMPONENTS].removed)


def layer_errors(document: Positioned) -> list[DescriptionError]:
    """Names that stand twice in one list of a file or of one of its environments, and removals with other settings."""
    environments = document.get("environments")
    inner = environments.mapping.items() if environments else ()
    layers = (("", document), *((f"environments.{name}.", layer) for name, layer in inner))
    return [
        error
        for path, layer in layers
        for section in SECTIONS
        if (listed := layer.get(section))
        for error in _list_errors(listed.items, f"{path}{section}")
    ]


def still_there(removed: Positioned, members: Mapping[str, Sequence[str]], listed: Iterable[str]) -> DescriptionError:
    """The error for a component that is removed from `components`, and still in the stack.

    ``members`` are the components of each collection, ``listed`` the names in `components`.
    """
    name = removed.string_of("name")
    through = next((entry for entry in listed if name in members.get(entry, ())), "")
    if through:
        rest = ", ".join(member for member in members[through] if member != name)
        reason = f"through the collection {through}"
        fix = f"write the members that stay: `{_COLLECTIONS}: {{{through}: [{rest}]}}`"
    else:
        reason = "because another component needs it"
        fix = "remove that one too, or list what the cluster has already in `target.provides`"
    return DescriptionError(
        f"{_COMPONENTS}: {name!r} is removed here, and still in the stack {reason}", where=removed.where, fix=fix
    )


class _List:
    """One named list over the layers that were added so far."""

    def __init__(self, section: str) -> None:
        self._section = section
        self.by_name: dict[str, Positioned] = {}
        self.removed: dict[str, Positioned] = {}
        self.unmatched: list[Positioned] = []
        """Removals of what was not there."""

    def add(self, listed: Positioned | None) -> None:
        """Put one layer's list over the others. Entries without a name, and repeated ones, are errors of the layer."""
        if listed is None:
            return
        if listed.content is None:
            self.by_name.clear()
        for name, entry in _first_entries(listed.items, self._section).items():
            if _is_removal(entry):
                self._remove(name, entry)
            else:
                self.removed.pop(name, None)
                below = self.by_name.get(name)
                self.by_name[name] = _changed(below, entry) if below else _settings(entry)

    def _remove(self, name: str, entry: Positioned) -> None:
        if self.by_name.pop(name, None):
            self.removed[name] = entry
        else:
            self.unmatched.append(entry)


def _first_entries(items: Iterable[Positioned], section: str) -> dict[str, Positioned]:
    named: dict[str, Positioned] = {}
    for item in items:
        name = _name(item, section)
        if name:
            named.setdefault(name, item)
    return named


def _changed(below: Positioned, entry: Positioned) -> Positioned:
    """An entry over the one of the same name: a name alone changes nothing, settings merge as mappings do."""
    if entry.string is not None:
        return below
    if below.string is not None:
        return _settings(entry)
    merged = merge.positioned(_without_version(below, entry), _settings(entry).without("name"))
    return replace(merged, file=below.file, line=below.line)


def _without_version(below: Positioned, entry: Positioned) -> Positioned:
    """Without the version that ``entry`` replaces: ``version`` and ``helm.version`` are the same setting."""
    inner = entry.get("helm")
    if inner and (version := inner.get(_VERSION)) and version.content:
        return below.without(_VERSION)
    if (version := entry.get(_VERSION)) and version.content and (helm := below.get("helm")) and helm.mapping:
        return replace(below, content=MappingProxyType({**below.mapping, "helm": helm.without(_VERSION)}))
    return below


def _settings(entry: Positioned) -> Positioned:
    return entry.without(REMOVE) if REMOVE in entry.mapping else entry


def _is_removal(entry: Positioned) -> bool:
    removal = entry.get(REMOVE)
    return removal is not None and removal.content is True


def _name(entry: Positioned, section: str) -> str:
    """The name of an entry; empty if it has none. A catalog's is its folder."""
    name = entry.string if entry.string is not None else entry.string_of("name")
    return posixpath.normpath(name) if section == _CATALOGS and name else name


def _list_errors(items: Sequence[Positioned], path: str) -> Iterator[DescriptionError]:
    section = path.rpartition(".")[2]
    first: dict[str, Positioned] = {}
    for item in items:
        name = _name(item, section)
        if _is_removal(item) and (others := [key for key in item.mapping if key not in ("name", REMOVE)]):
            yield DescriptionError(
                f"{path}: {name!r} is removed, and has settings ({', '.join(others)})",
                where=item.mapping[others[0]].where,
                fix=f"delete the settings, or `{REMOVE}: true` to keep {name or 'it'}",
            )
        if name and first.setdefault(name, item) is not item:
            yield _repeated(name, path, first[name], item)


def _repeated(name: str, path: str, first: Positioned, second: Positioned) -> DescriptionError:
    removals = {_is_removal(first), _is_removal(second)}
    texts = [entry for entry in (first, second) if entry.string is not None]
    if True in removals:
        message = f"{path}: {name!r} stands twice, also to be removed; first at {first.where}"
        fix = "delete one of the two; a key of a lower layer is removed with null"
    elif not texts:
        message = (
            f"duplicate {_ENTRIES.get(path.rpartition('.')[2], 'component')} {name!r}: already defined at {first.where}"
        )
        fix = "rename one of the two, or merge them into one"
    elif len(texts) == 1:
        message = f"{path}: {name!r} stands twice, as a name and with settings; first at {first.where}"
        fix = f"delete `- {name}` ({texts[0].where}): the entry with settings is enough"
    else:
        message = f"{path}: {name!r} stands twice; first at {first.where}"
        fix = "delete one of the two"
    return DescriptionError(message, where=second.where, fix=fix)


def _nothing_to_remove(
    entry: Positioned, section: str, merged: Positioned, lists: Mapping[str, _List], known: Iterable[str]
) -> DescriptionError:
    """The error for a removal; ``known`` are the names that may have been meant."""
    name = _name(entry, section)
    collections = merged.get(_COLLECTIONS)
    through = next(
        (
            collection
            for collection, members in (collections.mapping.items() if collections else ())
            if any(member.string == name for member in members.items)
        ),
        "",
    )
    elsewhere = next((other for other in SECTIONS if other != section and name in lists[other].by_name), "")
    near = did_you_mean(name, known)
    if near:
        fix = "correct the name"
    elif through:
        fix = f"it is a member of the collection {through}: write the members that stay under `{_COLLECTIONS}`"
    elif elsewhere:
        fix = f"it is in `{elsewhere}`: remove it there"
    elif section == _COMPONENTS:
        fix = "delete the entry; to leave out a member of a collection, write those that stay under `collections`"
    else:
        fix = "delete the entry"
    return DescriptionError(
        f"{section}: nothing to remove: no lower layer has {name!r} in `{section}`{near}", where=entry.where, fix=fix
    )
