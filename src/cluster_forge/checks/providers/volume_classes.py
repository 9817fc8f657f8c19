"""Volume claims find a StorageClass that makes their volume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.providers.surroundings import STORAGE_CLASS, Surroundings
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.manifests.pods import pod_of

EFFECT: Final = "its volume is not made, and its pods do not start"

_KINDS: Final = frozenset({"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})
_TEMPLATE: Final = b"volumeClaimTemplate"
"""In the text of each object with claims of its own, and the plural in that of a StatefulSet: the others are not read."""


def needs(manifest: Manifest, surroundings: Surroundings) -> Iterator[str]:
    """The capabilities that an object needs and that are missing."""
    if any(not surroundings.has_storage_class(name) for name in _classes(manifest)):
        yield STORAGE_CLASS


def wants_default(manifest: Manifest) -> bool:
    """Whether a claim of the object names no class."""
    return None in _classes(manifest)


def _classes(manifest: Manifest) -> Iterator[str | None]:
    """The StorageClass of each claim, None for the default one. One of a volume that exists needs none."""
    for claim in _claims(manifest):
        spec = claim.get("spec") if isinstance(claim, Mapping) else None
        if not isinstance(spec, Mapping) or spec.get("volumeName"):
            continue
        name = spec.get("storageClassName")
        if name is None or (isinstance(name, str) and name):  # "" is: no class at all
            yield name


def _claims(manifest: Manifest) -> Iterator[Any]:
    if (manifest.id.group, manifest.id.kind) == ("", "PersistentVolumeClaim"):
        yield manifest.body
    if manifest.id.kind not in _KINDS or _TEMPLATE not in manifest.text:
        return
    spec = manifest.body.get("spec")
    if manifest.id.kind == "StatefulSet" and isinstance(spec, Mapping):
        yield from _listed(spec.get("volumeClaimTemplates"))
    for volume in _listed((pod_of(manifest.body) or {}).get("volumes")):
        ephemeral = volume.get("ephemeral") if isinstance(volume, Mapping) else None
        if isinstance(ephemeral, Mapping):
            yield ephemeral.get("volumeClaimTemplate")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
