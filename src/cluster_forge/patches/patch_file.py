"""A patch as the content of a file: one YAML document that says which object it changes (`stack.patch_reader` reads it)."""

from __future__ import annotations

import re
from typing import Any, Final

from cluster_forge.foundation import linear_pattern
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests import comments, emitter
from cluster_forge.manifests.comments import Comments
from cluster_forge.manifests.identity import ObjectId, group_of
from cluster_forge.manifests.manifest import Body
from cluster_forge.patches import line_merge
from cluster_forge.patches.smallest import JsonPatch, StrategicPatch

_HEAD: Final = ("apiVersion", "kind", "metadata")


def text(patch: StrategicPatch | JsonPatch, body: Body, remarks: Comments) -> str:
    """The file for a patch of the object ``body``; ``remarks`` are comments about fields of it."""
    if isinstance(patch, JsonPatch):
        merging = {"mergeLines": True} if line_merge.changes_a_text(patch.operations) else {}
        operations = [one.as_json for one in patch.operations]
        written = emitter.document({"target": _target(body), **merging, "operations": operations})
        return "".join(f"{line}\n" for line in remarks.lines) + written
    document = emitter.document(_in_order({**patch.body, **_head(body, patch.body)}))
    return comments.added(document, remarks) if remarks else document


def deletion(body: Body) -> str:
    """The file for a patch that takes the object out of the stack."""
    return emitter.document({**_head(body, {}), "$patch": "delete"})


def object_of(document: Any) -> ObjectId | None:
    """The object that a file names, a patch or an object; None for what is neither, or names several."""
    body = mapping(document)
    target = mapping(body.get("target"))
    if target:
        texts = {key: _unescaped(str(target.get(key) or "")) for key in ("group", "kind", "namespace", "name")}
        return ObjectId(**texts) if target.get("name") else None
    metadata = mapping(body.get("metadata"))
    if not metadata.get("name"):
        return None
    return ObjectId(
        group=group_of(str(body.get("apiVersion") or "")),
        kind=str(body.get("kind") or ""),
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata["name"]),
    )


def _unescaped(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern)


def _head(body: Body, patch: Body) -> dict[str, Any]:
    """What names the object, with the other metadata of the patch."""
    metadata = body["metadata"]
    named = {key: metadata[key] for key in ("name", "namespace") if metadata.get(key)}
    return {
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        "metadata": dict(sorted({**(patch.get("metadata") or {}), **named}.items())),
    }


def _in_order(body: Body) -> dict[str, Any]:
    return {key: body[key] for key in dict.fromkeys((*_HEAD, *sorted(body)))}


def _target(body: Body) -> dict[str, str]:
    """The target of a JSON patch: patterns, which match exactly these texts."""
    identity = ObjectId.of(body)
    texts = {
        "group": identity.group,
        "version": str(body["apiVersion"]).rpartition("/")[2],
        "kind": identity.kind,
        "name": identity.name,
        "namespace": identity.namespace,
    }
    return {key: linear_pattern.escaped(value) for key, value in texts.items() if value}
