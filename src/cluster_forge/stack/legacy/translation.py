"""The legacy format as a native description: a list that defines components, and a selection of them.

The legacy format is the first implementation's. Every part of the translation keeps its position in the list. There, an
object of a later ``manifestpath`` replaces an equal one of an earlier one, so components get ``laterReplaces``; a
``source.yaml`` becomes ``upstream``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.foundation.names import counted
from cluster_forge.stack.input_files import InputFiles
from cluster_forge.stack.legacy import keys
from cluster_forge.stack.legacy.entry import EntryTranslation
from cluster_forge.stack.legacy.schema import LegacyEntrySchema
from cluster_forge.stack.model import Notice
from cluster_forge.stack.schema.description import API_VERSION, KIND
from cluster_forge.stack.schema.validation import schema_errors, validated
from cluster_forge.yaml.positioned import Positioned

_MOST_ERRORS: Final = 100
"""Errors after which the rest of the list is skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A native description, and the notices of its translation."""

    description: Positioned
    notices: tuple[Notice, ...]
    unreadable: frozenset[str]
    """Components whose ``source.yaml`` cannot be read."""


def translate(
    entries: Positioned, selection: Sequence[Positioned], name: str, files: InputFiles, errors: list[ForgeError]
) -> Translation:
    """Translate a list into the description of the stack ``name``; without a selection, the stack has all components.

    Errors in the list or in a ``source.yaml`` go into ``errors``.
    """
    components: list[Positioned] = []
    collections: dict[str, Positioned] = {}
    notices: list[Notice] = []
    unreadable: set[str] = set()
    for index, written in enumerate(entries.items):
        if len(errors) > _MOST_ERRORS:
            errors.append(_skipped(written, len(entries.items) - index))
            break
        entry = keys.as_written(written)
        schema = _checked(entry, index, errors)
        if schema is None:
            continue
        if schema.collection is None:
            translation = EntryTranslation(entry, files, errors, notices)
            components.append(translation.component(schema))
            unreadable.update({schema.name} if translation.is_unreadable else ())
        elif schema.name in collections:
            errors.append(_duplicate(entry, collections[schema.name]))
        else:
            collections[schema.name] = _collection(entry, errors)
    members: dict[str, Any] = {"apiVersion": API_VERSION, "kind": KIND, "name": name}
    if selection:
        members |= {"components": tuple(selection), "define": tuple(components)}
    else:
        members |= {"components": tuple(components)}
    if collections:
        members["collections"] = collections
    return Translation(
        description=Positioned.of(members, entries), notices=tuple(notices), unreadable=frozenset(unreadable)
    )


def _checked(entry: Positioned, index: int, errors: list[ForgeError]) -> LegacyEntrySchema | None:
    name = entry.get("name")
    errors.extend(schema_errors(LegacyEntrySchema, entry, str(name.content) if name else f"[{index}]"))
    return validated(LegacyEntrySchema, entry)


def _collection(entry: Positioned, errors: list[ForgeError]) -> Positioned:
    other = [key for key in entry.mapping if key not in ("name", "collection")]
    if other:
        name = entry.at(("name",)).content
        errors.append(
            DescriptionError(
                f"{name}: a collection has only `name` and `collection`, not {other[0]!r}",
                where=entry.at((other[0],)).where,
                fix=f"remove `{other[0]}`, or remove `collection` to make it a component",
            )
        )
    return entry.at(("collection",))


def _duplicate(second: Positioned, first: Positioned) -> DescriptionError:
    name = second.at(("name",)).content
    return DescriptionError(
        f"duplicate collection {name!r}: already defined at {first.where}",
        where=second.where,
        fix="rename one of the two",
    )


def _skipped(entry: Positioned, number: int) -> DescriptionError:
    return DescriptionError(
        f"too many errors: the rest, {counted(number, 'entry')}, is not checked",
        where=entry.where,
        fix="fix the errors above first",
    )
