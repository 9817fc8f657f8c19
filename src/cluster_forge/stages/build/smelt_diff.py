"""The differences between two smelts: components and objects that were added, changed or removed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.part import PartObject
from cluster_forge.record import Record

ComponentObject = tuple[ComponentName, PartObject]
"""An object and its component."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changed components, and the changed objects of all components; ``is_first``: there was no smelt before.

    ``is_delivery_changed``: components have other waves, needs, versions or Applications.
    """

    added_components: tuple[ComponentName, ...] = ()
    changed_components: tuple[ComponentName, ...] = ()
    removed_components: tuple[ComponentName, ...] = ()
    added: tuple[ComponentObject, ...] = ()
    changed: tuple[ComponentObject, ...] = ()
    removed: tuple[ComponentObject, ...] = ()
    is_first: bool = False
    is_delivery_changed: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.added_components or self.removed_components)


def between(before: Record | None, after: Record) -> Changes:
    """What changed from ``before`` to ``after``; an object with another digest in the same file is a changed one."""
    if before is None:
        return Changes(is_first=True)
    old, new = _by_path(before), _by_path(after)
    had, has = {part.name for part in before.parts}, {part.name for part in after.parts}
    added = [new[path] for path in new.keys() - old.keys()]
    removed = [old[path] for path in old.keys() - new.keys()]
    changed = [new[path] for path in new.keys() & old.keys() if new[path][1].digest != old[path][1].digest]
    touched = {name for name, _ in (*added, *changed, *removed)}
    return Changes(
        added_components=tuple(sorted(has - had)),
        changed_components=tuple(sorted(touched & had & has)),
        removed_components=tuple(sorted(had - has)),
        added=_sorted(added),
        changed=_sorted(changed),
        removed=_sorted(removed),
        is_delivery_changed=_delivery(before) != _delivery(after),
    )


def _delivery(record: Record) -> object:
    """Everything that a record has about components, and the digests of the files that are not their objects."""
    objects = {known.path for part in record.parts for known in part.objects}
    parts = [replace(part, objects=()) for part in record.parts]
    return parts, {path: digest for path, digest in record.files.items() if path not in objects}


def _by_path(record: Record) -> dict[str, ComponentObject]:
    return {part_object.path: (part.name, part_object) for part in record.parts for part_object in part.objects}


def _sorted(objects: Iterable[ComponentObject]) -> tuple[ComponentObject, ...]:
    return tuple(sorted(objects, key=lambda pair: pair[1].path))
