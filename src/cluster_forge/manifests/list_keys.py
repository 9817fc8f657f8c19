"""The entries of a list by their keys, and the members of a set by their text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cluster_forge.manifests.field_path import EntryKey
from cluster_forge.manifests.field_schema import Marks


def by_key(entries: Any, marks: Marks) -> dict[EntryKey, Any] | None:
    """The entries of a list by their keys; None if one has no keys, or two have the same ones.

    What is not a list (nothing, ``null``, a scalar) has no entries. A key that is left out has its default.
    """
    keyed: dict[EntryKey, Any] = {}
    for entry in entries if isinstance(entries, list) else ():
        key = entry_key(entry, marks)
        if key is None or key in keyed:
            return None
        keyed[key] = entry
    return keyed


def entry_key(entry: Any, marks: Marks) -> EntryKey | None:
    """The keys of an entry with their values; None if it has no proper ones."""
    if not isinstance(entry, Mapping):
        return None
    values = [(key, entry.get(key, marks.defaults.get(key))) for key in marks.keys]
    if any(value is None or isinstance(value, dict | list) for _, value in values):
        return None
    return tuple((key, text(value)) for key, value in values)


def members(entries: Any) -> dict[str, Any] | None:
    """The members of a set, by their text; None if one is not a scalar, or is in it twice."""
    by_text: dict[str, Any] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict | list) or text(entry) in by_text:
            return None
        by_text[text(entry)] = entry
    return by_text


def text(scalar: Any) -> str:
    """A scalar as JSON, in which ``1``, ``"1"`` and ``true`` differ."""
    return json.dumps(scalar, ensure_ascii=False)
