"""The objects of a chart by their identities, and whether two renders of it are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from cluster_forge.manifests.comparison import fields
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Manifest

Randomness = Mapping[ObjectId, frozenset[str]]
"""The fields (paths) that differ from render to render, by object."""


@dataclass(frozen=True)
class RenderedObjects:
    """The objects of one render. Of two with one identity, which is an error elsewhere, the last counts."""

    objects: Mapping[ObjectId, Manifest]

    @classmethod
    def of(cls, manifests: Iterable[Manifest]) -> Self:
        return cls({manifest.id: manifest for manifest in manifests})

    @cached_property
    def contents(self) -> frozenset[tuple[ObjectId, bytes]]:
        return frozenset((identity, manifest.document.json) for identity, manifest in self.objects.items())

    def differing(self, other: RenderedObjects) -> dict[ObjectId, frozenset[str]]:
        """The paths of the fields that differ, by object; none where one of the two does not have the object."""
        if self.contents == other.contents:
            return {}
        changed = sorted({identity for identity, _ in self.contents ^ other.contents})
        return {identity: self._paths(other, identity) for identity in changed}

    def is_like(self, other: RenderedObjects, random: Randomness) -> bool:
        """Whether all that differs is random."""
        return all(
            identity in random and paths <= random[identity] for identity, paths in self.differing(other).items()
        )

    def _paths(self, other: RenderedObjects, identity: ObjectId) -> frozenset[str]:
        before, after = self.objects.get(identity), other.objects.get(identity)
        if before is None or after is None:
            return frozenset()
        return frozenset(change.path for change in fields.changes(before.body, after.body))
