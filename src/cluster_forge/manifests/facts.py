"""What the stack must know about an object, collected once so that its tree need not be read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cluster_forge.manifests import hooks, images, object_names, server_fields

CRD_GROUP, CRD_KIND = CRD = "apiextensions.k8s.io", "CustomResourceDefinition"
"""Group and kind of a CRD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomKind:
    """A kind that a CRD of the stack defines: its scope and the versions that it serves."""

    group: str
    kind: str
    namespaced: bool
    versions: tuple[str, ...]

    @property
    def api_versions(self) -> tuple[str, ...]:
        """As a cluster's discovery lists them: ``monitoring.coreos.com/v1`` and ``…/v1/ServiceMonitor``."""
        groups = tuple(f"{self.group}/{version}" for version in self.versions)
        return groups + tuple(f"{group}/{self.kind}" for group in groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """``images`` are the references in the object, sorted; ``hook`` the events of Helm that it is a hook for, sorted and
    comma-separated, and ``weight`` the hook's; ``defines`` is the kind that a CRD defines; ``version`` is that of its API.

    ``invalid_labels`` are sentences (`object_names.label_problems`). Two are known only where its document was read:
    ``has_owner``: it names an owner by uid, which only a server gives.
    ``dropped_fields`` are the paths of the `server_fields` that it had, ``repeated_keys`` those of keys that stood twice.
    """

    images: tuple[str, ...] = ()
    hook: str = ""
    weight: int = 0
    defines: CustomKind | None = None
    version: str = ""
    invalid_labels: tuple[str, ...] = ()
    dropped_fields: tuple[str, ...] = ()
    repeated_keys: tuple[str, ...] = ()
    has_owner: bool = False


def of(body: Mapping[str, Any]) -> Facts:
    """The facts about one well-formed object."""
    hook = hooks.of(body)
    return Facts(
        images=tuple(sorted({use.image for use in images.of(body)})),
        hook=",".join(sorted(hook.events)),
        weight=hook.weight,
        defines=_defined(body),
        version=body["apiVersion"].rpartition("/")[2],
        invalid_labels=tuple(object_names.label_problems(body)),
        has_owner=server_fields.has_owner(body),
    )


def of_changed(body: Mapping[str, Any], before: Facts) -> Facts:
    """The facts about an object that had others before it was changed: what reading its document lost stays known."""
    return replace(of(body), dropped_fields=before.dropped_fields, repeated_keys=before.repeated_keys)


def of_relabelled(header: Mapping[str, Any], former: Mapping[str, Any], before: Facts) -> Facts:
    """The facts about an object of which only the metadata changed: from its `header`, the ``former`` one, and the facts then."""
    hook = hooks.of(header)
    gone = set(object_names.label_problems(former))
    others = (problem for problem in before.invalid_labels if problem not in gone)
    return replace(
        before,
        hook=",".join(sorted(hook.events)),
        weight=hook.weight,
        invalid_labels=(*object_names.label_problems(header), *others),
        has_owner=server_fields.has_owner(header),
    )


def _defined(body: Mapping[str, Any]) -> CustomKind | None:
    """The kind that a CRD defines; a malformed CRD defines none."""
    if body["kind"] != CRD_KIND or not body["apiVersion"].startswith(f"{CRD_GROUP}/"):
        return None
    spec = body.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    kind = names.get("kind") if isinstance(names, dict) else None
    if not isinstance(spec, dict) or not isinstance(kind, str) or not kind:
        return None
    return CustomKind(
        group=str(spec.get("group", "")),
        kind=kind,
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
