"""What differs between two states of a stack: components and their versions, objects field by field, images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests import kubernetes_apis
from cluster_forge.manifests.comparison import comparable, fields, masking
from cluster_forge.manifests.comparison.fields import Change, FieldChange
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.merge_keys import MergeKeys
from cluster_forge.manifests.part import Part, PartObject

_FIRST: Final = ("apiVersion", "kind", "metadata")
_SCHEMAS: Final = MergeKeys.of(kubernetes_apis.minors()[-1])
"""Of Kubernetes' own kinds, whose lists have the same keys in every minor version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDifference:
    """An object that differs: both states as they may be shown (`masking`), and the fields that differ.

    ``component`` is empty for an object of which no component is known; ``remark`` is what else there is to say.
    """

    component: str
    id: ObjectId
    change: Change
    before: Body | None = field(default=None, repr=False)
    after: Body | None = field(default=None, repr=False)
    fields: tuple[FieldChange, ...] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentDifference:
    """A component that was added or removed, has another version, or objects that differ. A version may be empty."""

    name: str
    change: Change
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs, by name; ``objects`` by component and identity. False if nothing does."""

    components: tuple[ComponentDifference, ...] = ()
    objects: tuple[ObjectDifference, ...] = ()
    added_images: tuple[str, ...] = ()
    removed_images: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.components or self.objects or self.added_images or self.removed_images)


def between(before: Sequence[Part], after: Sequence[Part]) -> Comparison:
    """Compare two stacks, hooks included. An object that another component has now is the same object."""
    pairs = _differing(before, after)
    differences = (compared(one.id, one.component, *one.bodies, remark=one.remark) for one in pairs)
    return _comparison(before, after, [difference for difference in differences if difference])


def listed_between(before: Sequence[Part], after: Sequence[Part]) -> Comparison:
    """Compare two stacks whose documents are not at hand: which objects differ, by the digests of their files, and not how."""
    pairs = _differing(before, after)
    return _comparison(
        before,
        after,
        [ObjectDifference(component=one.component, id=one.id, change=one.change, remark=one.remark) for one in pairs],
    )


def compared(
    identity: ObjectId, component: str, before: Body | None, after: Body | None, *, remark: str = ""
) -> ObjectDifference | None:
    """How two states of an object in a cluster differ (`comparable`): `as_written` without what others write into it."""
    states = (before and comparable.of(before), after and comparable.of(after))
    return as_written(identity, component, *states, remark=remark)


def as_written(
    identity: ObjectId, component: str, before: Body | None, after: Body | None, *, remark: str = ""
) -> ObjectDifference | None:
    """How two states of an object differ, None for one that is not there; None if nothing differs and ``remark`` is empty."""
    states = masking.masked(before, after)
    texts = [orjson.dumps(state, option=orjson.OPT_SORT_KEYS) if state else b"" for state in states]
    if texts[0] == texts[1] and not remark:
        return None
    old, new = map(_in_order, texts)
    changes = fields.changes(old, new, _SCHEMAS.of_object(new)) if old and new else ()
    change = Change.CHANGED if old and new else Change.ADDED if new else Change.REMOVED
    return ObjectDifference(
        component=component, id=identity, change=change, before=old, after=new, fields=changes, remark=remark
    )


def in_order(differences: Iterable[ObjectDifference]) -> tuple[ObjectDifference, ...]:
    return tuple(sorted(differences, key=lambda difference: (difference.component, difference.id)))


def _in_order(text: bytes) -> Body | None:
    """An object with what names it first, and everything else by its keys."""
    body = orjson.loads(text) if text else None
    return body and {key: body[key] for key in dict.fromkeys((*_FIRST, *body)) if key in body}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """An object that may differ, as two stacks have it; one of the two may not have it."""

    id: ObjectId
    component: ComponentName
    old: PartObject | None
    new: PartObject | None
    remark: str

    @property
    def bodies(self) -> tuple[Body | None, Body | None]:
        return self.old.body if self.old else None, self.new.body if self.new else None

    @property
    def change(self) -> Change:
        return Change.CHANGED if self.old and self.new else Change.ADDED if self.new else Change.REMOVED


def _differing(before: Sequence[Part], after: Sequence[Part]) -> Iterator[_Pair]:
    """The objects whose files differ, or which another component has now."""
    former, present = _by_id(before), _by_id(after)
    for identity in former.keys() | present.keys():
        old_name, old = former.get(identity, (None, None))
        new_name, new = present.get(identity, (None, None))
        is_moved = old_name is not None and new_name is not None and old_name != new_name
        if old and new and old.digest == new.digest and not is_moved:
            continue
        name = new_name or old_name
        assert name is not None, "one of the two stacks has the object"
        remark = f"moved here from {old_name}" if is_moved else ""
        yield _Pair(id=identity, component=name, old=old, new=new, remark=remark)


def _comparison(before: Sequence[Part], after: Sequence[Part], differences: Sequence[ObjectDifference]) -> Comparison:
    former, present = (
        {image for part in parts for item in part.objects for image in item.images} for parts in (before, after)
    )
    return Comparison(
        components=tuple(_components(before, after, {difference.component for difference in differences})),
        objects=in_order(differences),
        added_images=tuple(sorted(present - former)),
        removed_images=tuple(sorted(former - present)),
    )


def _by_id(parts: Sequence[Part]) -> Mapping[ObjectId, tuple[ComponentName, PartObject]]:
    return {item.id: (part.name, item) for part in parts for item in part.objects}


def _components(before: Sequence[Part], after: Sequence[Part], touched: set[str]) -> Iterator[ComponentDifference]:
    old, new = ({part.name: part.version for part in parts} for parts in (before, after))
    for name in sorted(old.keys() | new.keys()):
        former, present = old.get(name), new.get(name)
        if former != present or name in touched:
            change = Change.ADDED if former is None else Change.REMOVED if present is None else Change.CHANGED
            yield ComponentDifference(name=name, change=change, before=former or "", after=present or "")
