"""The objects that a patch changes: selected by patterns, or named by the patch itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cluster_forge.foundation.label_selector import LabelSelector
from cluster_forge.foundation.linear_pattern import LinearPattern
from cluster_forge.foundation.names import nearest
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.identity import ObjectId, group_of
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.stack.changes import DeclaredPatch, PatchTarget


@dataclass(frozen=True, kw_only=True)
class Selected:
    """A `PatchTarget`, ready to be matched: kustomize's rules, so that empty patterns match everything."""

    target: PatchTarget

    def matches(self, manifest: Manifest) -> bool:
        return all(
            pattern.matches(text) for pattern, text in zip(self._patterns, _texts(manifest), strict=True) if pattern
        ) and all(selector.selects(mapping(manifest.header["metadata"].get(key))) for key, selector in self._selectors)

    def likeness(self, manifest: Manifest) -> int:
        """How many of the patterns match."""
        pairs = zip(self._patterns, _texts(manifest), strict=True)
        return sum(bool(pattern and pattern.matches(text)) for pattern, text in pairs)

    @cached_property
    def _patterns(self) -> Sequence[LinearPattern | None]:
        target = self.target
        texts = (target.group, target.version, target.kind, target.name, target.namespace)
        return [LinearPattern.parse(text) if text else None for text in texts]

    @cached_property
    def _selectors(self) -> Sequence[tuple[str, LabelSelector]]:
        texts = (("labels", self.target.label_selector), ("annotations", self.target.annotation_selector))
        return [(key, LabelSelector.parse(text)) for key, text in texts if text]

    def __str__(self) -> str:
        return str(self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The object that a part of one names. Without a namespace: the object of that kind and name, in any."""

    id: ObjectId
    version: str

    @classmethod
    def of(cls, body: Any) -> Named:
        """What the ``apiVersion``, ``kind`` and ``metadata`` of a partial object name."""
        metadata = body["metadata"]
        api_version = str(body["apiVersion"])
        identity = ObjectId(
            group=group_of(api_version),
            kind=str(body["kind"]),
            namespace=str(metadata.get("namespace") or ""),
            name=str(metadata["name"]),
        )
        return cls(id=identity, version=api_version.rpartition("/")[2])

    def matches(self, manifest: Manifest) -> bool:
        return self.is_same_object(manifest) and manifest.facts.version == self.version

    def is_same_object(self, manifest: Manifest) -> bool:
        """Whether the object is meant, in whatever version of its API."""
        other = manifest.id
        return (self.id.group, self.id.kind, self.id.name) == (other.group, other.kind, other.name) and (
            self.id.namespace in ("", other.namespace)
        )

    def __str__(self) -> str:
        return str(self.id)


def of(patch: DeclaredPatch) -> Selected | Named:
    """What the patch changes."""
    return Selected(target=patch.target) if patch.target else Named.of(patch.body)


def hint(target: Selected | Named, manifests: Sequence[Manifest]) -> str:
    """The end of the message about a target that is not there: the object that was most likely meant, if any is like it."""
    if isinstance(target, Named):
        for manifest in manifests:
            if target.is_same_object(manifest):
                version = str(manifest.header["apiVersion"])
                return f": {manifest.id} is there as {version}, whose fields may be others"
    near = _nearest_named(target, manifests) if isinstance(target, Named) else _nearest_selected(target, manifests)
    return f", did you mean {near}?" if near else ""


def _nearest_named(target: Named, manifests: Sequence[Manifest]) -> str:
    """By the name among objects of the kind, else by all that is written."""
    same_kind = {manifest.id.name: str(manifest.id) for manifest in manifests if manifest.id.kind == target.id.kind}
    near = nearest(target.id.name, same_kind)
    return same_kind[near] if near else nearest(str(target), [str(manifest.id) for manifest in manifests]) or ""


def _nearest_selected(target: Selected, manifests: Sequence[Manifest]) -> str:
    """The object of which most patterns hold; of several, the one with the nearest name."""
    scores = {str(manifest.id): (target.likeness(manifest), manifest.id.name) for manifest in manifests}
    most = max((score for score, _ in scores.values()), default=0)
    best = {name: text for text, (score, name) in scores.items() if score == most and most}
    near = nearest(target.target.name, best) if target.target.name else None
    return best[near] if near else next(iter(best.values())) if len(best) == 1 else ""


def _texts(manifest: Manifest) -> Iterator[str]:
    identity = manifest.id
    yield from (identity.group, manifest.facts.version, identity.kind, identity.name, identity.namespace)
