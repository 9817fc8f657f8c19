"""Strategic merge patches: a partial object, merged into an object as its schema says.

Mappings merge by key, ``null`` takes a field out. Lists with a merge key merge by it, sets add; other lists are replaced.
Directives: ``$patch: delete``, ``replace`` or ``merge`` in a mapping or an entry of a list, ``$retainKeys``, and beside a
list ``$setElementOrder/LIST`` and ``$deleteFromPrimitiveList/LIST``. New entries come before those that the patch does not
name, unless ``$setElementOrder`` has them elsewhere.

Source: Kubernetes, ``apimachinery/pkg/util/strategicpatch``, which ``kubectl patch`` uses. What differs from it, as in kustomize:
``$patch: delete`` in a mapping takes the field out (there: empties it), an entry is found by all its keys that the patch
names (there: by the first of them, so a UDP port replaces the TCP port of that number), a mapping, a list and a single value do not
replace each other (there: the API server refuses the result), and lists of custom resources merge
by the keys that the CRD names (there: no such patch for custom resources).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cluster_forge.foundation.errors import PatchError
from cluster_forge.manifests import field_path, list_keys
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.field_schema import UNKNOWN, FieldSchema, PatchStrategy
from cluster_forge.manifests.manifest import Body
from cluster_forge.patches import list_patch
from cluster_forge.patches.list_patch import (
    DELETE,
    DELETIONS,
    DIRECTIVE,
    MERGE,
    ORDER,
    REPLACE,
    Entries,
    FieldPatch,
    Placed,
)
from cluster_forge.patches.sameness import ABSENT

RETAIN: Final = "$retainKeys"

Path = tuple[Step, ...]


def is_deletion(patch: Body) -> bool:
    """Whether a patch takes the whole object out: ``$patch: delete`` beside its name."""
    return bool(patch.get(DIRECTIVE) == DELETE)


def apply(body: Body, patch: Body, schema: FieldSchema | None) -> Body:
    """``body`` with the changes of ``patch``; an empty mapping if it `is_deletion`. Neither is changed in place.

    ``schema``: None for an unknown kind, whose lists are replaced.

    Raises:
        PatchError: for a directive that does not exist or stands where it means nothing, a value where the object has another
            sort of value (a list, a mapping, a single value), and an entry of a list without
            its keys, or with keys that several entries have.
    """
    try:
        patched = _mapping((), body, patch, schema or UNKNOWN)
    except RecursionError as error:
        raise PatchError("the patch is nested too deep") from error
    return {} if patched is ABSENT else patched


def _mapping(path: Path, original: Any, patch: Mapping[str, Any], schema: FieldSchema) -> Any:
    """A mapping with the changes of a patch; `ABSENT` if that deletes it."""
    match patch.get(DIRECTIVE, MERGE):
        case list_patch.DELETE:
            return ABSENT
        case list_patch.REPLACE:
            return {key: value for key, value in patch.items() if key != DIRECTIVE}
        case list_patch.MERGE:
            _check_sort(path, original, patch)
            return _merged(path, original if isinstance(original, Mapping) else {}, patch, schema)
        case other:
            raise _error(
                f"unknown directive `{DIRECTIVE}: {other}`", path, f"write `{DELETE}`, `{REPLACE}` or `{MERGE}`"
            )


def _merged(path: Path, original: Mapping[str, Any], patch: Mapping[str, Any], schema: FieldSchema) -> dict[str, Any]:
    merged = dict(_retained(path, original, patch))
    for name in dict.fromkeys(map(_field_of, patch)):
        if not name:  # a directive of the mapping itself
            continue
        value = _value((*path, name), merged.get(name, ABSENT), FieldPatch.of(patch, name), schema.field(name))
        if value is ABSENT:
            merged.pop(name, None)
        else:
            merged[name] = value
    return merged


def _field_of(key: str) -> str:
    """The field that a key of a patch is about; empty for a directive of the mapping itself."""
    return "" if key in (DIRECTIVE, RETAIN) else key.removeprefix(ORDER).removeprefix(DELETIONS)


def _retained(path: Path, original: Mapping[str, Any], patch: Mapping[str, Any]) -> Mapping[str, Any]:
    """What ``$retainKeys`` leaves of ``original``."""
    if RETAIN not in patch:
        return original
    names = patch[RETAIN]
    given = [key for key, value in patch.items() if not key.startswith("$") and value is not None]
    if not isinstance(names, list) or not all(name in names for name in given):
        raise _error(f"`{RETAIN}` is not a list that has every field of the patch", path, "list each field beside it")
    return {name: value for name, value in original.items() if name in names}


def _value(path: Path, original: Any, patch: FieldPatch, schema: FieldSchema) -> Any:
    if patch.value is None:
        return ABSENT
    if patch.is_of_list():
        return _list(path, original, patch, schema)
    if isinstance(patch.value, Mapping):
        is_replaced = schema.marks.mapping_strategy is PatchStrategy.REPLACE
        return patch.value if is_replaced else _mapping(path, original, patch.value, schema)
    _check_sort(path, original, patch.value)
    return patch.value


def _check_sort(path: Path, original: Any, patch: Any) -> None:
    """A mapping, a list and a single value do not become each other, which is a slip far more often than meant."""
    if original is not ABSENT and original is not None and _sort(original) != _sort(patch):
        raise _error(
            f"the object has {_sort(original)} here, and the patch {_sort(patch)}",
            path,
            "correct the patch, or replace the field by a JSON patch",
        )


def _sort(value: Any) -> str:
    return "a mapping" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else "a single value"


def _list(path: Path, original: Any, patch: FieldPatch, schema: FieldSchema) -> Any:
    if schema.marks.list_strategy is PatchStrategy.REPLACE:
        if patch.has_directives():
            raise _error("the list has no merge key: it is replaced as a whole", path, "write the whole list")
        _check_sort(path, original, patch.value)
        return patch.value
    if not isinstance(original, list) and patch.value is ABSENT:
        return original
    if patch.value is not ABSENT:
        _check_sort(path, original, patch.value)
    for given in (patch.value, patch.order, patch.deletions):
        if given is not ABSENT and not isinstance(given, list):
            raise _error("the patch of a list is not a list", path, "write a list")
    places = enumerate(original if isinstance(original, list) else ())
    entries = Entries((Placed(value, place) for place, value in places), schema.marks)
    merge = _keyed_list if schema.marks.merge_key else _set
    return merge(path, entries, patch, schema)


def _set(path: Path, entries: Entries, patch: FieldPatch, schema: FieldSchema) -> list[Any]:
    for value in patch.deletions if patch.deletions is not ABSENT else ():
        entries.delete(entries.meant(value))
    given = patch.value if patch.value is not ABSENT else []
    for value in given:
        if not entries.meant(value):
            entries.add(Placed(value, None))
    return entries.ordered(_order(path, given, patch, schema))


def _keyed_list(path: Path, entries: Entries, patch: FieldPatch, schema: FieldSchema) -> list[Any]:
    given = patch.value if patch.value is not ABSENT else []
    if not all(isinstance(change, Mapping) for change in given):
        raise _error("an entry of the patch is not a mapping", path, f"write `- {schema.marks.merge_key}: …`")
    if any(change.get(DIRECTIVE) == REPLACE for change in given):
        return [change for change in given if DIRECTIVE not in change]
    named = []
    for change in given:
        _check_key(path, change, schema)
        if change.get(DIRECTIVE) == DELETE:
            entries.delete(entries.meant(change))
            continue
        named.append(change)
        number = entries.single(change, field_path.text(path))
        before = {} if number is None else entries[number].value
        value = _mapping((*path, _step(change, schema)), before, change, schema.entries)
        if number is None:
            entries.add(Placed(value, None))
        else:
            entries.replace(number, value)
    return entries.ordered(_order(path, named, patch, schema))


def _check_key(path: Path, change: Mapping[str, Any], schema: FieldSchema) -> None:
    if change.get(schema.marks.merge_key) is None:
        raise _error(
            f"an entry has no `{schema.marks.merge_key}`, by which the list merges",
            path,
            f"name it, or put `- {DIRECTIVE}: {REPLACE}` first to replace the whole list",
        )


def _order(path: Path, named: Sequence[Any], patch: FieldPatch, schema: FieldSchema) -> Sequence[Any]:
    """The entries whose order the patch decides: it has all that the patch ``named``."""
    if patch.order is ABSENT:
        return named
    order: list[Any] = patch.order
    listed = {_identity(entry, schema) for entry in order}
    if not all(_identity(entry, schema) in listed for entry in named):
        raise _error(f"`{ORDER}{path[-1]}` lacks an entry of the patch", path, "list each entry of the patch in it")
    return order


def _identity(entry: Any, schema: FieldSchema) -> str:
    return list_keys.text(entry.get(schema.marks.merge_key) if isinstance(entry, Mapping) else entry)


def _step(entry: Mapping[str, Any], schema: FieldSchema) -> Step:
    """The entry in a path: by its keys."""
    return tuple((key, list_keys.text(entry[key])) for key in schema.keys if key in entry)


def _error(message: str, path: Path, fix: str) -> PatchError:
    return PatchError(message, where=field_path.text(path) or None, fix=fix)
