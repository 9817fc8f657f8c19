"""Services of type LoadBalancer get an address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.checks.providers.surroundings import LOAD_BALANCER, Surroundings
from cluster_forge.manifests.manifest import Manifest

EFFECT: Final = "it gets no address, and an Argo CD would wait for it"

_TYPE: Final = "LoadBalancer"


def needs(manifest: Manifest, surroundings: Surroundings) -> Iterator[str]:
    """The capabilities that an object needs and that are missing."""
    if (manifest.id.group, manifest.id.kind) != ("", "Service") or surroundings.assigns_addresses:
        return
    if _TYPE.encode() not in manifest.text:  # most Services: they are not read
        return
    spec = manifest.body.get("spec")
    if isinstance(spec, Mapping) and spec.get("type") == _TYPE:
        yield LOAD_BALANCER
