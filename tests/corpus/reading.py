"""Looking into objects: the files that they hold, and what stands deep in them."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cluster_forge.manifests.manifest import Manifest


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
