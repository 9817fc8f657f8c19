"""What is another between two smelts: components and objects that were added, changed or removed."""

from __future__ import annotations

from dataclasses import dataclass

from cluster_forge.record import ObjectRecord, Record
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName

Named = tuple[ComponentName, ObjectRecord]
"""An object and the component that it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The components, and the objects of all components; ``is_first`` where there was nothing to compare with."""

    added_components: tuple[ComponentName, ...] = ()
    changed_components: tuple[ComponentName, ...] = ()
    removed_components: tuple[ComponentName, ...] = ()
    added: tuple[Named, ...] = ()
    changed: tuple[Named, ...] = ()
    removed: tuple[Named, ...] = ()
    is_first: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed or self.added_components or self.removed_components)


def between(before: Record | None, now: Record) -> Changes:
    """What ``now`` holds and ``before`` did not, and the other way round; objects are told apart by file and digest."""
    if before is None:
        return Changes(is_first=True)
    old, new = _objects(before), _objects(now)
    had, has = {part.name for part in before.parts}, {part.name for part in now.parts}
    added = [new[path] for path in new.keys() - old.keys()]
    removed = [old[path] for path in old.keys() - new.keys()]
    changed = [new[path] for path in new.keys() & old.keys() if _digest(new[path]) != _digest(old[path])]
    touched = {name for name, _ in (*added, *changed, *removed)}
    return Changes(
        added_components=tuple(sorted(has - had)),
        changed_components=tuple(sorted(touched & had & has)),
        removed_components=tuple(sorted(had - has)),
        added=_sorted(added),
        changed=_sorted(changed),
        removed=_sorted(removed),
    )


def _objects(record: Record) -> dict[str, Named]:
    return {each.path: (part.name, each) for part in record.parts for each in part.objects}


def _digest(named: Named) -> Digest:
    return named[1].digest


def _sorted(found: list[Named]) -> tuple[Named, ...]:
    return tuple(sorted(found, key=lambda named: named[1].path))
