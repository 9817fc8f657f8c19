"""Changes in the Pod templates of the built-in kinds, `pods.TEMPLATES`.

Custom resources have theirs where their operator wants them, if at all: patches change those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cluster_forge.manifests import pods
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body

Change = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""A mapping as it becomes; the same one if nothing changes. It is not changed in place."""


def has_one(identity: ObjectId) -> bool:
    """Whether objects of that kind have a Pod template, or are a Pod."""
    return (identity.group, identity.kind) in pods.TEMPLATES


def changed(identity: ObjectId, body: Body, change: Change) -> Body:
    """``body`` with ``change`` of its Pod template: a mapping with ``metadata`` and ``spec``. Others are the same object."""
    path = pods.TEMPLATES.get((identity.group, identity.kind))
    return body if path is None else at(body, path, change)


def at(value: Mapping[str, Any], path: Sequence[str], change: Change) -> Mapping[str, Any]:
    """``value`` with ``change`` of the mapping at ``path``; the same value where there is none."""
    if not path:
        return change(value)
    first, *rest = path
    inner = value.get(first)
    if not isinstance(inner, Mapping):
        return value
    new = at(inner, rest, change)
    return value if new is inner else {**value, first: new}


def containers_changed(template: Mapping[str, Any], change: Change) -> Mapping[str, Any]:
    """A Pod template with ``change`` of each of its containers, init containers included."""
    for kind in ("initContainers", "containers"):
        template = at(template, ("spec",), lambda spec, kind=kind: _in_list(spec, kind, change))  # type: ignore[misc]
    return template


def _in_list(spec: Mapping[str, Any], key: str, change: Change) -> Mapping[str, Any]:
    listed = spec.get(key)
    if not isinstance(listed, list):
        return spec
    new = [change(entry) if isinstance(entry, Mapping) else entry for entry in listed]
    return spec if all(one is other for one, other in zip(new, listed, strict=True)) else {**spec, key: new}
