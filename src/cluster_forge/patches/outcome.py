"""What became of an object by one change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from cluster_forge.manifests import facts
from cluster_forge.manifests.manifest import Body, Document, Manifest
from cluster_forge.patches.sameness import same


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The object after the change, the same one if nothing changed; None if it was taken out of the stack.

    ``is_refused``: something in it stays although the change names it; ``refused`` are the paths, where they are known.
    """

    manifest: Manifest | None
    is_refused: bool = False
    refused: tuple[str, ...] = ()

    @classmethod
    def of(cls, manifest: Manifest, body: Body, *, is_refused: bool = False, refused: tuple[str, ...] = ()) -> Self:
        """The object with another ``body``."""
        return cls(manifest=with_body(manifest, body), is_refused=is_refused, refused=refused)


def with_body(manifest: Manifest, body: Body) -> Manifest:
    """The object with another ``body`` and the facts about it; the same object if ``body`` is the same value as its own."""
    if same(body, manifest.body):
        return manifest
    known = facts.of_changed(body, manifest.facts)
    return replace(manifest, document=Document(body=body, facts=known))


def with_metadata(manifest: Manifest, metadata: Mapping[str, Any]) -> Manifest:
    """The object with other ``metadata`` and the facts about it, without reading the rest of it."""
    former = manifest.header
    known = facts.of_relabelled({**former, "metadata": metadata}, former, manifest.facts)
    return replace(manifest, document=manifest.document.with_metadata(metadata, known))
