"""Ingresses find a controller that serves them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.providers.surroundings import INGRESS, Surroundings
from cluster_forge.manifests.manifest import Manifest

EFFECT: Final = "it gets no address, and an Argo CD would wait for it"


def needs(manifest: Manifest, surroundings: Surroundings) -> Iterator[str]:
    """The capabilities that an object needs and that are missing."""
    is_ingress = manifest.id.kind == "Ingress" and manifest.id.group in ("networking.k8s.io", "extensions")
    if is_ingress and not surroundings.serves_ingresses:
        yield INGRESS
