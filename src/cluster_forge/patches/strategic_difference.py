"""The strategic merge patch between two states of an object: only what changed, and the keys by which it is found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from cluster_forge.manifests import list_keys
from cluster_forge.manifests.field_schema import FieldSchema, Marks, PatchStrategy
from cluster_forge.manifests.manifest import Body
from cluster_forge.patches.list_patch import DELETE, DELETIONS, DIRECTIVE, ORDER, REPLACE, Entries, Placed
from cluster_forge.patches.sameness import ABSENT, same

_IDENTITY = ("apiVersion", "kind")
_NAMES = ("name", "namespace")


class _RepetitionError(Exception):
    """The patch would repeat entries or lines that did not change."""


def between(before: Body, after: Body, schema: FieldSchema, *, repeats: bool = False) -> Body | None:
    """The patch, which may lead elsewhere where strategic merge patches cannot say a change (a field set to ``null``).

    None if the objects have not the same identity, since a patch names its object. Unless it ``repeats``, also if it would
    have entries of a list or lines of a text that did not change: it would undo what a later version changes in them.
    """
    names = [{name: body.get("metadata", {}).get(name) for name in _NAMES} for body in (before, after)]
    if names[0] != names[1] or any(before.get(key) != after.get(key) for key in _IDENTITY):
        return None
    try:
        changes = dict(_Difference(repeats=repeats).in_mapping(before, after, schema))
    except _RepetitionError:
        return None
    metadata = {name: value for name, value in names[0].items() if value is not None} | changes.pop("metadata", {})
    return {**{key: before[key] for key in _IDENTITY}, "metadata": metadata, **changes}


class _Difference:
    """One patch, which may repeat what did not change or not."""

    def __init__(self, *, repeats: bool) -> None:
        self._repeats = repeats

    def in_mapping(
        self, before: Mapping[str, Any], after: Mapping[str, Any], schema: FieldSchema
    ) -> Iterator[tuple[str, Any]]:
        for name in dict.fromkeys((*before, *after)):
            old, new = before.get(name, ABSENT), after.get(name, ABSENT)
            if not same(old, new):
                yield from self._of_field(name, old, new, schema.field(name))

    def _of_field(self, name: str, old: Any, new: Any, schema: FieldSchema) -> Iterator[tuple[str, Any]]:
        marks = schema.marks
        if new is ABSENT:
            yield name, None
        elif isinstance(old, Mapping) and isinstance(new, Mapping) and marks.mapping_strategy is PatchStrategy.MERGE:
            yield name, dict(self.in_mapping(old, new, schema))
        elif not isinstance(old, list) or not isinstance(new, list):
            yield name, self._without_common_lines(old, new)
        elif marks.list_strategy is PatchStrategy.REPLACE:
            yield name, self._without_repetition(old, new)
        elif marks.merge_key:
            yield from self._in_keyed_list(name, old, new, schema)
        else:
            yield from self._in_set(name, old, new, marks)

    def _without_repetition(self, old: list[Any], new: list[Any]) -> list[Any]:
        """``new``, which replaces ``old``."""
        known = set(map(_canonical, old))
        if not self._repeats and any(_canonical(entry) in known for entry in new):
            raise _RepetitionError
        return new

    def _without_common_lines(self, old: Any, new: Any) -> Any:
        """``new``, which replaces ``old``; texts of several lines have none in common."""
        if not self._repeats and isinstance(old, str) and isinstance(new, str) and "\n" in old and "\n" in new:
            lines = {line for line in old.split("\n") if line.strip()}
            if not lines.isdisjoint(new.split("\n")):
                raise _RepetitionError
        return new

    def _in_set(self, name: str, old: list[Any], new: list[Any], marks: Marks) -> Iterator[tuple[str, Any]]:
        before, after = list_keys.members(old), list_keys.members(new)
        if before is None or after is None:
            raise _RepetitionError
        added = [value for key, value in after.items() if key not in before]
        if deleted := [value for key, value in before.items() if key not in after]:
            yield f"{DELETIONS}{name}", deleted
        if added:
            yield name, added
        wanted = [
            _Wanted(value, value, is_new=key not in before, is_named=key not in before) for key, value in after.items()
        ]
        if order := _order(_merged(before, after), wanted, added, marks):
            yield f"{ORDER}{name}", order

    def _in_keyed_list(
        self, name: str, old: list[Any], new: list[Any], schema: FieldSchema
    ) -> Iterator[tuple[str, Any]]:
        marks = schema.marks
        before, after = list_keys.by_key(old, marks), list_keys.by_key(new, marks)
        if before is None or after is None:
            yield name, [{DIRECTIVE: REPLACE}, *self._without_repetition(old, new)]
            return
        changes = {key: self._of_entry(before.get(key), entry, schema) for key, entry in after.items()}
        named = [change for change in changes.values() if change is not None]
        deletions = [{**_keys(before[key], marks), DIRECTIVE: DELETE} for key in before if key not in after]
        if named or deletions:
            yield name, [*named, *deletions]
        wanted = [
            _Wanted(entry, _keys(entry, marks), is_new=key not in before, is_named=changes[key] is not None)
            for key, entry in after.items()
        ]
        if order := _order(_merged(before, after), wanted, named, marks):
            yield f"{ORDER}{name}", order

    def _of_entry(self, old: Any, new: Mapping[str, Any], schema: FieldSchema) -> Mapping[str, Any] | None:
        """What changes in an entry, with its keys; all of a new one, None if nothing changes."""
        if old is None:
            return new
        changes = dict(self.in_mapping(old, new, schema.entries))
        return {**_keys(new, schema.marks), **changes} if changes else None


def _canonical(entry: Any) -> str:
    return json.dumps(entry, sort_keys=True)


def _keys(entry: Mapping[str, Any], marks: Marks) -> dict[str, Any]:
    return {key: entry[key] for key in marks.keys if key in entry}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An entry of the list that the patch must give, and how ``$setElementOrder`` names it."""

    value: Any
    keys: Any
    _: KW_ONLY
    is_new: bool
    is_named: bool
    """Whether the patch names it."""


def _merged(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[Placed]:
    """The entries that the patch gives, before they are put in order."""
    places = {key: place for place, key in enumerate(before)}
    kept = [Placed(after[key], places[key]) for key in before if key in after]
    return kept + [Placed(value, None) for key, value in after.items() if key not in before]


def _order(merged: list[Placed], wanted: list[_Wanted], named: list[Any], marks: Marks) -> list[Any]:
    """The ``$setElementOrder`` that the patch needs, as short as it can be; none if its order follows without."""
    result, entries = [entry.value for entry in wanted], Entries(merged, marks)
    if same(entries.ordered(named), result):
        return []
    neighbors = {place - 1 for place, entry in enumerate(wanted) if entry.is_new}
    some = [entry.keys for place, entry in enumerate(wanted) if entry.is_named or place in neighbors]
    return some if same(entries.ordered(some), result) else [entry.keys for entry in wanted]
