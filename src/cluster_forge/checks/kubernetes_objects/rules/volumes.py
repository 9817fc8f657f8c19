"""Volumes of Pods, claims and persistent volumes (``ValidateVolumes``, ``ValidatePersistentVolumeClaimSpec``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.kubernetes_objects.problem import Problem, Rule
from cluster_forge.foundation.untyped import mapping, sequence

_NOT_SOURCES: Final = frozenset({"name"})
_NOT_PERSISTENT_SOURCES: Final = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)


def volume(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    """One source; a volume without any is an empty folder."""
    given = [name for name, source in value.items() if name not in _NOT_SOURCES and source is not None]
    if len(given) > 1:
        yield Problem(
            steps=(given[1],),
            message=f"the volume has two sources, {given[0]} and {given[1]}",
            fix="remove one of the two",
        )


def config_map(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if value.get("name") in (None, ""):
        yield Problem(steps=("name",), message="name is missing", fix="set name")


def secret(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    if value.get("secretName") in (None, ""):
        yield Problem(steps=("secretName",), message="secretName is missing", fix="set secretName")


def claim(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    modes = sequence(value.get("accessModes"))
    if not modes:
        yield Problem(
            steps=("accessModes",), message="accessModes is missing", fix="set accessModes, such as [ReadWriteOnce]"
        )
    elif "ReadWriteOncePod" in modes and len(modes) > 1:
        message = "ReadWriteOncePod does not go with other access modes"
        yield Problem(steps=("accessModes",), message=message, fix="leave one of them")
    requests = mapping(mapping(value.get("resources")).get("requests"))
    if requests.get("storage") is None:
        steps = ("resources", "requests", "storage")
        yield Problem(steps=steps, message="storage is missing", fix="set resources.requests.storage, such as 10Gi")


def persistent_volume(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    for name in ("accessModes", "capacity"):
        if not value.get(name):
            yield Problem(steps=(name,), message=f"{name} is missing", fix=f"set {name}")
    given = [name for name, source in value.items() if name not in _NOT_PERSISTENT_SOURCES and source is not None]
    if not given:
        yield Problem(steps=(), message="the volume has no source: csi, nfs, hostPath or another", fix="set one")
    elif len(given) > 1:
        message = f"the volume has two sources, {given[0]} and {given[1]}"
        yield Problem(steps=(given[1],), message=message, fix="remove one of the two")


def projected_sources(value: Mapping[str, Any], _: int) -> Iterator[Problem]:
    given = [name for name, source in value.items() if source is not None]
    if len(given) > 1:
        message = f"an entry of sources has both {given[0]} and {given[1]}"
        yield Problem(steps=(given[1],), message=message, fix="make two entries of them")


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "core.v1.ConfigMapProjection": (config_map,),
    "core.v1.ConfigMapVolumeSource": (config_map,),
    "core.v1.PersistentVolumeClaimSpec": (claim,),
    "core.v1.PersistentVolumeSpec": (persistent_volume,),
    "core.v1.SecretProjection": (config_map,),
    "core.v1.SecretVolumeSource": (secret,),
    "core.v1.Volume": (volume,),
    "core.v1.VolumeProjection": (projected_sources,),
}
