"""The scope of kinds, namespaced or not: the target version's own, and those that the stack's CRDs define."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.facts import CRD_KIND, CustomKind
from cluster_forge.manifests.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes in a cluster of the given minor version with the given custom kinds."""

    minor: int
    custom: Mapping[tuple[str, str], CustomKind]

    @classmethod
    def of(cls, minor: int, manifests: Iterable[Manifest]) -> Scopes:
        kinds = custom_kinds(manifests)
        return cls(minor, MappingProxyType({(kind.group, kind.kind): kind for kind in kinds}))

    def is_namespaced(self, group: str, kind: str) -> bool | None:
        """Whether objects of that kind are in a namespace; None for a kind that neither the version nor the stack knows."""
        known = self.custom.get((group, kind))
        return known.namespaced if known else kubernetes_apis.is_namespaced(group, kind, self.minor)


def custom_kinds(manifests: Iterable[Manifest]) -> tuple[CustomKind, ...]:
    """The kinds that the CRDs among ``manifests`` define."""
    return tuple(
        manifest.facts.defines for manifest in manifests if manifest.id.kind == CRD_KIND and manifest.facts.defines
    )
