"""The fields in which two states of an object differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

from cluster_forge.manifests import field_path, list_keys
from cluster_forge.manifests.field_path import EntryKey, Step
from cluster_forge.manifests.field_schema import UNKNOWN, FieldSchema, ListType, Marks

_LONGEST_ALIGNED: Final = 500
"""Entries of a list without keys that are aligned, which takes quadratic time; those of a longer one go by their place."""

_NAMED: Final = Marks(list_type=ListType.MAP, keys=("name",))

Path = tuple[Step, ...]
_Entries = dict[EntryKey, Any]


class Change(StrEnum):
    """What happened to a field, an object, a component or a file."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A field that differs: ``path`` as in `field_path`, its values (None where it is not)."""

    path: str
    change: Change
    before: Any = None
    after: Any = None


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any], schema: FieldSchema | None = None
) -> tuple[FieldChange, ...]:
    """Every field that differs, in the order of the fields.

    A field that was added or removed is one change with all that is below it. Entries of lists are matched by the keys
    that the ``schema`` names, or by ``name`` where every entry has one of its own; of other lists those that are equal
    are aligned.
    """
    return tuple(_in_mapping((), before, after, schema or UNKNOWN))


def _between(path: Path, before: Any, after: Any, schema: FieldSchema) -> Iterator[FieldChange]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        if not _is_same(before, after):
            yield from _in_mapping(path, before, after, schema)
    elif isinstance(before, list) and isinstance(after, list):
        if not _is_same(before, after):
            yield from _in_list(path, before, after, schema)
    elif before != after or type(before) is not type(after):  # True equals 1
        yield _change(Change.CHANGED, path, before, after)


def _is_same(before: object, after: object) -> bool:
    """Whether two values are the same, without a look at each field; not certain if False. As JSON, since True equals 1."""
    try:
        return before == after and orjson.dumps(before) == orjson.dumps(after)
    except TypeError:  # an integer of more than 64 bits
        return False


def _in_mapping(
    path: Path, before: Mapping[str, Any], after: Mapping[str, Any], schema: FieldSchema
) -> Iterator[FieldChange]:
    for key in dict.fromkeys((*before, *after)):
        step = (*path, key)
        if key not in after:
            yield _change(Change.REMOVED, step, before[key], None)
        elif key not in before:
            yield _change(Change.ADDED, step, None, after[key])
        else:
            yield from _between(step, before[key], after[key], schema.field(key))


def _in_list(path: Path, before: list[Any], after: list[Any], schema: FieldSchema) -> Iterator[FieldChange]:
    keyed = _keyed(before, after, schema)
    if keyed is None:
        yield from _aligned(path, before, after, schema.entries)
        return
    former, present = keyed
    for key in dict.fromkeys((*former, *present)):
        step = (*path, key)
        if key not in present:
            yield _change(Change.REMOVED, step, former[key], None)
        elif key not in former:
            yield _change(Change.ADDED, step, None, present[key])
        else:
            yield from _between(step, former[key], present[key], schema.entries)
    common = former.keys() & present.keys()
    orders = [[key for key in entries if key in common] for entries in keyed]
    if orders[0] != orders[1]:
        yield _change(Change.CHANGED, path, *([field_path.text((key,)) for key in order] for order in orders))


def _keyed(before: list[Any], after: list[Any], schema: FieldSchema) -> tuple[_Entries, _Entries] | None:
    """Both states of a list by the keys of its entries; None if it has none that name each entry once."""
    for marks in (schema.marks, _NAMED) if schema.list_type is ListType.MAP else (_NAMED,):
        former, present = list_keys.by_key(before, marks), list_keys.by_key(after, marks)
        if former is not None and present is not None:
            return former, present
    return None


def _aligned(path: Path, before: list[Any], after: list[Any], entries: FieldSchema) -> Iterator[FieldChange]:
    for old, new in _blocks(before, after):
        common = min(len(old), len(new))
        for old_place, new_place in zip(old, new, strict=False):
            yield from _between((*path, new_place), before[old_place], after[new_place], entries)
        for place in old[common:]:
            yield _change(Change.REMOVED, (*path, place), before[place], None)
        for place in new[common:]:
            yield _change(Change.ADDED, (*path, place), None, after[place])


def _blocks(before: list[Any], after: list[Any]) -> Iterator[tuple[range, range]]:
    """The places that differ, of both lists."""
    if max(len(before), len(after)) > _LONGEST_ALIGNED:
        yield range(len(before)), range(len(after))
        return
    old, new = ([orjson.dumps(entry, option=orjson.OPT_SORT_KEYS) for entry in entries] for entries in (before, after))
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield range(i1, i2), range(j1, j2)


def _change(change: Change, path: Path, before: Any, after: Any) -> FieldChange:
    return FieldChange(path=field_path.text(path), change=change, before=before, after=after)
