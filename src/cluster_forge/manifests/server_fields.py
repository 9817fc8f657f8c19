"""Fields that only an API server sets: an object that was exported from a cluster has them, and a stack must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_METADATA: Final = frozenset(
    (
        *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "managedFields"),
        *("resourceVersion", "selfLink", "uid"),
    )
)
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class WithoutServerFields:
    """An object without these fields, and the paths of the dropped fields that had a value.

    Generators write ``creationTimestamp: null`` and an empty ``status`` into what never was in a cluster: they have no path.
    """

    body: Mapping[str, Any]
    dropped: tuple[str, ...] = ()


def without(body: Mapping[str, Any]) -> WithoutServerFields:
    """The object ``body``, which has a name, without them. Its ``status`` belongs to them."""
    metadata = body["metadata"]
    annotations = metadata.get("annotations")
    has_last_applied = isinstance(annotations, dict) and _LAST_APPLIED in annotations
    if "status" not in body and not has_last_applied and _METADATA.isdisjoint(metadata):
        return WithoutServerFields(body)
    kept = {key: value for key, value in metadata.items() if key not in _METADATA}
    if has_last_applied:
        others = {key: value for key, value in annotations.items() if key != _LAST_APPLIED}
        kept = {key: value for key, value in kept.items() if key != "annotations"}
        kept |= {"annotations": others} if others else {}
    cleaned = {key: kept if key == "metadata" else value for key, value in body.items() if key != "status"}
    return WithoutServerFields(cleaned, tuple(_with_values(body)))


def has_owner(body: Mapping[str, Any]) -> bool:
    """Whether it names an owner with a uid. That stays, as whatever may be meant; a foreign one is deadly, though."""
    owners = body["metadata"].get("ownerReferences")
    return isinstance(owners, list) and any(isinstance(owner, dict) and owner.get("uid") for owner in owners)


def _with_values(body: Mapping[str, Any]) -> Iterator[str]:
    metadata = body["metadata"]
    for key in sorted(_METADATA & metadata.keys()):
        if not _is_empty(metadata[key]):
            yield f"metadata.{key}"
    if _LAST_APPLIED in (metadata.get("annotations") or {}):
        yield f"metadata.annotations.{_LAST_APPLIED}"
    if not _is_empty(body.get("status")):
        yield "status"


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_empty, value.values()))
    if isinstance(value, list):
        return all(map(_is_empty, value))
    return value is None or value == ""
