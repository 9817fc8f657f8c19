"""The keys that tell the entries of a list apart.

Kubernetes' own lists have them in its OpenAPI document (``x-kubernetes-list-map-keys``, ``x-kubernetes-patch-merge-key``);
the lists of custom resources are taken to have ``name`` where every entry has one of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.manifests.field_path import EntryKey

_BY_LIST: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = MappingProxyType(
    {
        "ports": (("containerPort", "protocol"), ("port", "protocol")),
        "volumeMounts": (("mountPath",),),
        "volumeDevices": (("devicePath",),),
        "hostAliases": (("ip",),),
        "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
        "ownerReferences": (("uid",),),
    }
)
_GENERAL: Final = ("name",)
_DEFAULTS: Final = MappingProxyType({"protocol": "TCP"})
"""The default of a key, which an entry may leave out."""


def by_key(name: str, before: Sequence[Any], after: Sequence[Any]) -> tuple[dict[EntryKey, Any], ...] | None:
    """Both states of the list ``name`` by the keys of their entries; None if it has no keys that name each entry once."""
    for keys in (*_BY_LIST.get(name, ()), _GENERAL):
        keyed = [_keyed(entries, keys) for entries in (before, after)]
        if all(one is not None for one in keyed):
            return tuple(one for one in keyed if one is not None)
    return None


def _keyed(entries: Sequence[Any], keys: tuple[str, ...]) -> dict[EntryKey, Any] | None:
    keyed: dict[EntryKey, Any] = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or keys[0] not in entry:
            return None
        values = ((key, entry.get(key, _DEFAULTS.get(key))) for key in keys)
        keyed[tuple((key, json.dumps(value, ensure_ascii=False)) for key, value in values)] = entry
    return keyed if len(keyed) == len(entries) else None
