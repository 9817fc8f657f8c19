"""The patches of a description, each as a `DeclaredChange`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.field_schema import FieldSchema
from cluster_forge.manifests.manifest import Body, Manifest
from cluster_forge.patches import patch_lines, patch_target, patching, strategic
from cluster_forge.patches.declared_change import DeclaredChange
from cluster_forge.patches.outcome import Outcome, with_body
from cluster_forge.patches.patch_target import Named, Selected
from cluster_forge.stack.changes import DeclaredPatch

Schemas = Callable[[Manifest], FieldSchema | None]
"""The schema of an object's kind; None for an unknown one."""


def of(patches: Iterable[DeclaredPatch], schemas: Schemas) -> Iterator[DeclaredChange]:
    """The patches in the order in which they apply."""
    for patch in patches:
        target = patch_target.of(patch)
        yield DeclaredChange(
            key="patches",
            name=str(target),
            where=patch.where,
            apply=partial(_applied, patch, target, schemas),
            is_required=True,
            is_single=isinstance(target, Named),
            hint=partial(patch_target.hint, target),
            concerns=target.matches,
            named=_named(patch.body) if patch.target else {},
            place=partial(patch_lines.where, patch),
        )


def _named(body: Body) -> dict[str, str]:
    metadata = mapping(body.get("metadata"))
    named = {"kind": body.get("kind"), **{f"metadata.{key}": metadata.get(key) for key in ("name", "namespace")}}
    return {key: str(value) for key, value in named.items() if value}


def _applied(patch: DeclaredPatch, target: Selected | Named, schemas: Schemas, manifest: Manifest) -> Outcome | None:
    if not target.matches(manifest):
        return None
    if strategic.is_deletion(patch.body):
        return Outcome(manifest=None)
    body = patching.applied(manifest.body, patch, schemas(manifest))
    return Outcome(manifest=with_body(manifest, body))
