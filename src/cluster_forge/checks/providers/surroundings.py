"""What a stack's objects find in the cluster: the capabilities of stack and target, and what the objects themselves bring."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cluster_forge.manifests.manifest import Manifest

INGRESS: Final = "ingress"
LOAD_BALANCER: Final = "loadbalancer"
STORAGE_CLASS: Final = "storage-class"

_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True)
class Surroundings:
    """``capabilities``: `Stack.capabilities`; ``manifests``: all objects of the stack."""

    capabilities: Collection[str]
    manifests: Sequence[Manifest]

    def serves(self, group: str) -> bool:
        """Whether an aggregated API is in the stack or the target: ``metrics.k8s.io``."""
        return group in self.capabilities or group in self._aggregated

    @property
    def assigns_addresses(self) -> bool:
        """Whether Services of type LoadBalancer get an address."""
        return LOAD_BALANCER in self.capabilities

    @cached_property
    def serves_ingresses(self) -> bool:
        """Whether there is a controller of Ingresses."""
        return INGRESS in self.capabilities or any(
            (manifest.id.group, manifest.id.kind) == ("networking.k8s.io", "IngressClass")
            for manifest in self.manifests
        )

    def has_storage_class(self, name: str | None) -> bool:
        """Whether there is a StorageClass of that name, or a default one; the target's own may have any name."""
        if STORAGE_CLASS in self.capabilities or self._has_class_texts:
            return True
        if name is None:
            return any(map(_is_default_class, self._classes))
        return any(existing.id.name == name for existing in self._classes)

    @cached_property
    def _classes(self) -> list[Manifest]:
        return [
            manifest
            for manifest in self.manifests
            if (manifest.id.group, manifest.id.kind) == ("storage.k8s.io", "StorageClass")
        ]

    @cached_property
    def _has_class_texts(self) -> bool:
        """Whether a ConfigMap has the text of a StorageClass: a driver creates it."""
        return any(map(_has_class_text, self.manifests))

    @cached_property
    def _aggregated(self) -> frozenset[str]:
        """The API groups of APIServices, whose names are ``VERSION.GROUP``."""
        return frozenset(
            manifest.id.name.partition(".")[2] for manifest in self.manifests if manifest.id.kind == "APIService"
        )


def brings_default_class(manifest: Manifest) -> bool:
    """Whether the object is a default StorageClass, or has the text of a class, for a driver to create."""
    is_class = (manifest.id.group, manifest.id.kind) == ("storage.k8s.io", "StorageClass")
    return _is_default_class(manifest) if is_class else _has_class_text(manifest)


def _is_default_class(manifest: Manifest) -> bool:
    return _annotations(manifest).get(_DEFAULT_CLASS) == "true"


def _has_class_text(manifest: Manifest) -> bool:
    return manifest.id.kind == "ConfigMap" and b"kind: StorageClass" in manifest.document.json


def _annotations(manifest: Manifest) -> dict[str, object]:
    annotations = manifest.body["metadata"].get("annotations")
    return annotations if isinstance(annotations, dict) else {}
