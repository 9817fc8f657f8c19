"""Which kinds lie in a namespace: the target version's own, and those that the stack's CRDs define."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.manifest import Manifest

CRD_GROUP, CRD_KIND = "apiextensions.k8s.io", "CustomResourceDefinition"


@dataclass(frozen=True, slots=True)
class CustomKind:
    """A kind that a CRD of the stack defines: its scope and the versions that it serves."""

    group: str
    kind: str
    namespaced: bool
    versions: tuple[str, ...]

    @property
    def api_versions(self) -> tuple[str, ...]:
        """As a cluster's discovery gives them: ``monitoring.coreos.com/v1`` and ``…/v1/ServiceMonitor``."""
        groups = tuple(f"{self.group}/{version}" for version in self.versions)
        return groups + tuple(f"{each}/{self.kind}" for each in groups)


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes in a cluster of the given minor version that holds the given custom kinds."""

    minor: int
    custom: Mapping[tuple[str, str], CustomKind]

    @classmethod
    def of(cls, minor: int, manifests: Iterable[Manifest]) -> Scopes:
        kinds = custom_kinds(manifests)
        return cls(minor, MappingProxyType({(kind.group, kind.kind): kind for kind in kinds}))

    def is_namespaced(self, group: str, kind: str) -> bool | None:
        """Whether objects of that kind lie in a namespace; None where neither the version nor the stack knows it."""
        known = self.custom.get((group, kind))
        return known.namespaced if known else kubernetes_apis.is_namespaced(group, kind, self.minor)


def custom_kinds(manifests: Iterable[Manifest]) -> tuple[CustomKind, ...]:
    """The kinds that the CRDs among ``manifests`` define; a malformed CRD defines none."""
    found = []
    for manifest in manifests:
        if manifest.id.kind == CRD_KIND and manifest.id.group == CRD_GROUP:
            spec = manifest.body.get("spec")
            names = spec.get("names") if isinstance(spec, dict) else None
            if isinstance(names, dict) and isinstance(names.get("kind"), str) and isinstance(spec, dict):
                found.append(
                    CustomKind(
                        group=str(spec.get("group", "")),
                        kind=names["kind"],
                        namespaced=spec.get("scope") == "Namespaced",
                        versions=_served(spec),
                    )
                )
    return tuple(found)


def _served(spec: Mapping[str, object]) -> tuple[str, ...]:
    versions = spec.get("versions")
    if not isinstance(versions, list):
        return (str(spec["version"]),) if "version" in spec else ()
    return tuple(
        str(version["name"]) for version in versions if isinstance(version, dict) and version.get("served", True)
    )
