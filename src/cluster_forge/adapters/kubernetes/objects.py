"""Objects in the answers of an API server: everything else relies on their metadata to be as Kubernetes has them.

Source: Kubernetes, ``meta/v1``, ``ObjectMeta``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.manifests.manifest import Body

_TEXTS: Final = ("namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "generateName")
_MAPPINGS: Final = ("labels", "annotations")
_LISTS: Final = (("finalizers", str), ("ownerReferences", dict), ("managedFields", dict))
_MEMBERS: Final = ("spec", "status", "data")


def is_object(body: Body, *, is_built_in: bool = False) -> bool:
    """Whether it has a name, and every other part of its metadata has its type; of a built-in kind (a CRD may do otherwise)
    spec, status and data, too.
    """
    metadata = body.get("metadata")
    return (
        isinstance(metadata, dict)
        and isinstance(metadata.get("name"), str)
        and metadata["name"] != ""
        and _is_of_type(metadata)
        and (not is_built_in or all(isinstance(body.get(key), dict | None) for key in _MEMBERS))
    )


def is_built_in(group: str) -> bool:
    """Whether Kubernetes itself serves the group: no CRD may have it without its approval (KEP-1111)."""
    return "." not in group or group.endswith(".k8s.io")


def _is_of_type(metadata: Mapping[str, Any]) -> bool:
    mappings = [metadata[key] for key in _MAPPINGS if metadata.get(key) is not None]
    return (
        all(isinstance(metadata.get(key), str | None) for key in _TEXTS)
        and isinstance(metadata.get("generation"), int | None)
        and all(isinstance(mapping, dict) for mapping in mappings)
        and all(isinstance(value, str) for mapping in mappings for value in mapping.values())
        and all(_is_list_of(metadata.get(key), kind) for key, kind in _LISTS)
        and all(isinstance(entry.get("fieldsV1"), dict | None) for entry in metadata.get("managedFields") or ())
    )


def _is_list_of(value: object, kind: type) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, kind) for item in value))
