"""Custom resources and the components whose CRDs define their kinds: the needs that follow from that alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import scope
from cluster_forge.manifests.manifest import Manifest

_Kind = tuple[str, str]


def needs(
    components: Mapping[ComponentName, Sequence[Manifest]], waves: Mapping[ComponentName, int]
) -> dict[ComponentName, Mapping[ComponentName, str]]:
    """For each component the others whose CRDs its objects need, with one such kind: ``Certificate.cert-manager.io``.

    A component needs none for a kind that it defines itself. Of several components with the same CRD one is enough: the
    first by ``waves``, those that the components have without these needs. It keeps the CRD (`duplicates`).
    """
    providers: dict[_Kind, ComponentName] = {}
    own: dict[ComponentName, set[_Kind]] = {}
    for name in sorted(components, key=lambda name: (waves[name], name)):
        own[name] = {(kind.group, kind.kind) for kind in scope.custom_kinds(components[name])}
        for kind in own[name]:
            providers.setdefault(kind, name)
    return {name: _needs(manifests, own[name], providers) for name, manifests in components.items()}


def _needs(
    manifests: Sequence[Manifest], own: set[_Kind], providers: Mapping[_Kind, ComponentName]
) -> Mapping[ComponentName, str]:
    needed: dict[ComponentName, str] = {}
    for group, kind in sorted({(manifest.id.group, manifest.id.kind) for manifest in manifests} - own):
        if provider := providers.get((group, kind)):
            needed.setdefault(provider, f"{kind}.{group}")
    return MappingProxyType(needed)
