"""One Kubernetes object and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.identity import ObjectId

Body = Mapping[str, Any]
"""An object as JSON knows it: mappings, lists, strings, numbers, booleans and null. Never changed in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where an object came from: the component, and the template, file or URL in it (with a line where known)."""

    component: ComponentName
    origin: str

    def __str__(self) -> str:
        return f"{self.component} ({self.origin})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One object of the stack; ``text`` is its document, where somebody has written it already (see `emit`)."""

    id: ObjectId
    body: Body
    provenance: Provenance
    text: bytes | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, body: Body, provenance: Provenance) -> Manifest:
        return cls(id=ObjectId.of(body), body=body, provenance=provenance)

    @property
    def api_version(self) -> str:
        return str(self.body["apiVersion"])

    @property
    def annotations(self) -> Mapping[str, str]:
        return self.body["metadata"].get("annotations") or {}
