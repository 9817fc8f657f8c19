"""Reading objects in tests: those of a component, the files in them, and members at any depth."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stages.catalog.trial_stack import TrialStack


def objects_of(stack: TrialStack, name: str, *kinds: str) -> list[Manifest]:
    """The objects of a component that are of these kinds."""
    return [manifest for manifest in stack.parts[name] if manifest.id.kind in kinds]


def object_of(stack: TrialStack, name: str, kind: str, called: str) -> Manifest:
    """The object of a component with this kind and name."""
    (manifest,) = [manifest for manifest in objects_of(stack, name, kind) if manifest.id.name == called]
    return manifest


def files_of(manifest: Manifest) -> dict[str, str]:
    """The files in a ConfigMap or Secret, as text."""
    body = manifest.body
    decoded = (
        {key: base64.b64decode(text).decode() for key, text in (body.get("data") or {}).items()}
        if manifest.id.kind == "Secret"
        else dict(body.get("data") or {})
    )
    return decoded | (body.get("stringData") or {})


def members(value: Any, key: str) -> Iterator[Any]:
    """Every member of that name in nested mappings and lists."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            if name == key:
                yield member
            yield from members(member, key)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from members(item, key)
