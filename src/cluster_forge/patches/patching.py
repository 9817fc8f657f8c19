"""One patch applied to one object, which stays the same object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.foundation.errors import PatchError
from cluster_forge.manifests.field_schema import FieldSchema
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.patches import json_operations, json_patch, strategic
from cluster_forge.patches.sameness import same
from cluster_forge.stack.changes import DeclaredPatch

_MOST_VALUES: Final = 1_000_000
"""Of an object after a patch: the largest CRD of 181 charts has 100,000."""


def applied(body: Body, patch: DeclaredPatch, schema: FieldSchema | None) -> Body:
    """``body`` as the patch makes it; the same value if it changes nothing. ``schema`` is that of the object's kind.

    Raises:
        PatchError: if the patch does not fit the object, or would make another object of it.
    """
    if patch.operations:
        operations = json_operations.parse(list(patch.operations))
        new = json_patch.apply(body, operations, merges_lines=patch.merges_lines)
    else:
        new = strategic.apply(body, _without_identity(patch.body), schema)
    if any(operation["op"] == "copy" for operation in patch.operations):
        _check_size(new)
    if same(new, body):
        return body
    _check(body, new)
    return new


def _check_size(body: Any) -> None:
    """Each copy of an object into itself doubles it: 40 of them make a billion of a thousand."""
    try:
        size = _size(body, {})
    except RecursionError:
        size = _MOST_VALUES + 1
    if size > _MOST_VALUES:
        raise PatchError(
            f"the copies make an object of more than {_MOST_VALUES:,} values", fix="copy smaller parts of the object"
        )


def _size(value: Any, known: dict[int, int]) -> int:
    """The number of values in it; what stands in several places is counted in each, and looked at once."""
    if not isinstance(value, Mapping | list):
        return 1
    if id(value) not in known:
        members = value.values() if isinstance(value, Mapping) else value
        known[id(value)] = 1 + sum(_size(member, known) for member in members)
    return known[id(value)]


def _without_identity(patch: Body) -> Body:
    """The patch without what names its object."""
    metadata = patch.get("metadata")
    kept = {key: value for key, value in patch.items() if key not in ("apiVersion", "kind")}
    if isinstance(metadata, Mapping):
        kept["metadata"] = {key: value for key, value in metadata.items() if key not in ("name", "namespace")}
    return kept


def _check(before: Body, after: Any) -> None:
    """The API server would refuse, or take for another object, what has another name, kind or namespace."""
    try:
        is_same = ObjectId.of(after) == ObjectId.of(before) or "name" not in before["metadata"]
    except (KeyError, AttributeError, TypeError) as error:
        raise PatchError(
            "what is left has no `apiVersion`, `kind` or `metadata`", fix="leave these fields as they are"
        ) from error
    if not is_same:
        raise PatchError(
            f"makes another object of it: {ObjectId.of(after)}",
            fix="`exclude` the object and bring the other one in `manifests`: what refers to it by name would break",
        )
