"""What the stack has to know of an object, found once so that its tree need not be looked at again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cluster_forge.manifests import images

CRD_GROUP, CRD_KIND = "apiextensions.k8s.io", "CustomResourceDefinition"
HOOK, WEIGHT = "helm.sh/hook", "helm.sh/hook-weight"

_BEYOND = 2**63
"""No number to Helm, nor to the JSON of our record."""


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """``images`` are the references in the object, sorted; ``hook`` the Helm events that it is a hook for, sorted, with
    commas between them, and ``weight`` the hook's; ``defines`` is the kind of a CRD.
    """

    images: tuple[str, ...] = ()
    hook: str = ""
    weight: int = 0
    defines: CustomKind | None = None


def of(body: Mapping[str, Any]) -> Facts:
    """The facts about one well-formed object."""
    written = body["metadata"].get("annotations")
    annotations = written if isinstance(written, dict) else {}
    return Facts(
        images=tuple(sorted({use.image for use in images.of(body)})),
        hook=_hook(annotations),
        weight=_weight(annotations),
        defines=_defined(body),
    )


def _hook(annotations: Mapping[str, Any]) -> str:
    text = annotations.get(HOOK)
    return ",".join(sorted({part.strip() for part in text.split(",")} - {""})) if isinstance(text, str) else ""


def _weight(annotations: Mapping[str, Any]) -> int:
    """Hooks of lower weight run first; 0 where none or no number is written, as in Helm."""
    try:
        weight = int(annotations.get(WEIGHT, 0))
    except (TypeError, ValueError, OverflowError):
        return 0
    return weight if -_BEYOND <= weight < _BEYOND else 0


def _defined(body: Mapping[str, Any]) -> CustomKind | None:
    """The kind that a CRD defines; a malformed CRD defines none."""
    if body["kind"] != CRD_KIND or not body["apiVersion"].startswith(f"{CRD_GROUP}/"):
        return None
    spec = body.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if not (isinstance(spec, dict) and isinstance(names, dict) and isinstance(names.get("kind"), str)):
        return None
    return CustomKind(
        group=str(spec.get("group", "")),
        kind=names["kind"],
        namespaced=spec.get("scope") == "Namespaced",
        versions=_served(spec),
    )


def _served(spec: Mapping[str, object]) -> tuple[str, ...]:
    versions = spec.get("versions")
    if not isinstance(versions, list):
        return (str(spec["version"]),) if "version" in spec else ()
    return tuple(
        str(version["name"])
        for version in versions
        if isinstance(version, dict) and "name" in version and version.get("served", True)
    )
