"""Fields of an object that other managers have set since it was applied, by the object's ``managedFields``.

No request is needed for it beyond the metadata of an object. A field counts if another manager owns it and ours does not
any more: that is what the API server notes when a value is changed (Kubernetes, "Server-Side Apply: Field management").
Fields that the server does not keep have no owner, and do not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests import field_path
from cluster_forge.manifests.comparison import comparable
from cluster_forge.manifests.field_path import EntryKey, Step
from cluster_forge.manifests.manifest import Body

_MEMBER: Final = "f:"
_ENTRY: Final = "k:"
_NOTHING: Final[Mapping[str, Any]] = {}


class TakenField(NamedTuple):
    """A field as in `field_path`, and the manager that has set it."""

    path: str
    manager: str


def taken(body: Body, live: Mapping[str, Any], manager: str) -> tuple[TakenField, ...]:
    """The fields of ``body`` that another manager than ``manager`` has set; ``live`` is the object's metadata in the cluster.

    Not the replicas that an autoscaler sets, nor CA bundles (`comparable`).
    """
    entries = [entry for entry in live.get("managedFields") or () if isinstance(entry, Mapping)]
    own = [_fields(entry) for entry in entries if entry.get("manager") == manager and not entry.get("subresource")]
    wanted = comparable.of(body)
    result: dict[str, TakenField] = {}
    for entry in entries:
        if entry.get("manager") == manager or not comparable.is_manual(entry):
            continue
        for path in _owned((), wanted, _fields(entry), own):
            text = field_path.text(path)
            result.setdefault(text, TakenField(text, str(entry.get("manager") or "unknown")))
    return tuple(result[text] for text in sorted(result))


def _owned(
    path: tuple[Step, ...], value: Any, fields: Mapping[str, Any], own: list[Mapping[str, Any]]
) -> Iterator[tuple[Step, ...]]:
    """The paths below ``path`` that ``fields`` has, and none of ``own``."""
    if isinstance(value, Mapping):
        members = [(f"{_MEMBER}{key}", key, member) for key, member in value.items()]
    elif isinstance(value, list):
        members = [(key, _key(key), entry) for key in fields if (entry := _entry(key, value)) is not None]
    else:
        members = []
    for key, step, member in members:
        if key not in fields:
            continue
        below = [mapping(one[key]) for one in own if key in one]
        deeper = mapping(fields[key])
        if deeper.keys() - {"."}:
            yield from _owned((*path, step), member, deeper, below)
        elif not below and not deeper:
            yield (*path, step)


def _entry(key: str, entries: list[Any]) -> Any:
    """The entry of a list that a key of ``managedFields`` names: ``k:{"name":"web"}``."""
    wanted = _read(key)
    return (
        next((entry for entry in entries if isinstance(entry, Mapping) and wanted.items() <= entry.items()), None)
        if wanted
        else None
    )


def _key(key: str) -> EntryKey:
    return tuple((name, json.dumps(value, ensure_ascii=False)) for name, value in _read(key).items())


def _read(key: str) -> Mapping[str, Any]:
    if not key.startswith(_ENTRY):
        return _NOTHING
    try:
        return mapping(json.loads(key.removeprefix(_ENTRY)))
    except ValueError:
        return _NOTHING


def _fields(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(entry.get("fieldsV1"))


def has_others(live: Mapping[str, Any], manager: str) -> bool:
    """Whether another manager has set any field that may count."""
    entries = (entry for entry in live.get("managedFields") or () if isinstance(entry, Mapping))
    return any(entry.get("manager") != manager and comparable.is_manual(entry) for entry in entries)
