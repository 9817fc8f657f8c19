"""The patch that leads from one state of an object to another: the smallest one, or a partial object whatever its size.

A strategic merge patch where the object's kind has a schema and such a patch can say it, otherwise a JSON patch. Which one
can is not argued but tried: a patch is returned only if applying it gives the other state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.errors import PatchError
from cluster_forge.manifests.field_schema import UNKNOWN, FieldSchema
from cluster_forge.manifests.manifest import Body
from cluster_forge.patches import json_difference, json_patch, strategic, strategic_difference
from cluster_forge.patches.json_operations import Operation
from cluster_forge.patches.sameness import same

_TOO_DEEP: Final = "the object is nested too deep to be compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategicPatch:
    """A partial object: ``apiVersion``, ``kind`` and its name, and what changes."""

    body: Body

    def apply(self, body: Body, schema: FieldSchema | None) -> Body:
        """``body`` with the patch (`strategic.apply`)."""
        return strategic.apply(body, self.body, schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonPatch:
    """Operations, with tests of what they overwrite; none if nothing changes."""

    operations: tuple[Operation, ...]

    def apply(self, body: Body, schema: FieldSchema | None) -> Body:  # noqa: ARG002 - as `StrategicPatch`
        """``body`` with the patch (`json_patch.apply`)."""
        return json_patch.apply(body, self.operations, merges_lines=True)


Patch = StrategicPatch | JsonPatch


def smallest(before: Body, after: Body, schema: FieldSchema | None) -> Patch:
    """The patch that makes ``after`` of ``before``, the same object with the same identity.

    Applied to ``before`` it gives the same values in the same order of lists; the order of keys is the emitter's, which
    sorts them. ``schema``: None for an unknown kind.

    Raises:
        PatchError: if the objects are nested too deep.
    """
    try:
        if schema is not None and not same(before, after):
            patch = strategic_difference.between(before, after, schema)
            if patch is not None and _leads_to(patch, before, after, schema):
                return StrategicPatch(body=patch)
        return JsonPatch(operations=tuple(json_difference.between(before, after)))
    except RecursionError as error:
        raise PatchError(_TOO_DEEP) from error


def partial_object(before: Body, after: Body, schema: FieldSchema | None) -> StrategicPatch | None:
    """The strategic merge patch that makes ``after`` of ``before``, also if it repeats a list or a text for one change in
    it; None if such a patch cannot say it. ``schema`` as for `smallest`.

    Raises:
        PatchError: if the objects are nested too deep.
    """
    try:
        patch = strategic_difference.between(before, after, schema or UNKNOWN, repeats=True)
        return StrategicPatch(body=patch) if patch is not None and _leads_to(patch, before, after, schema) else None
    except RecursionError as error:
        raise PatchError(_TOO_DEEP) from error


def _leads_to(patch: Body, before: Body, after: Body, schema: FieldSchema | None) -> bool:
    try:
        return same(strategic.apply(before, patch, schema), after)
    except PatchError:
        return False
