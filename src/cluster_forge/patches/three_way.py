"""The three-way merge of an object: what it was (base), what it is made to now (theirs), what the user made of it (mine).

As trees, as the object's schema says (`field_schema`):

- mappings by key, unless their fields only mean something together: a reference, a label selector;
- lists with keys by the keys of their entries, sets by their members; other lists, and those whose entries have no proper
  keys (two have the same, one has none), as one value;
- texts of several lines line by line (`texts`); everything else as one value.

Both sides may change the same value alike; they do not conflict, and the change is `Merge.obsolete` as one of mine. For
two values that only differ for Python, JSON or YAML (``1`` and ``1.0``, ``null`` and nothing), nothing has changed. The
result has no value, and no line of a text, that none of the three has.

What others do (kustomize's and kpt's ``kyaml``, ``merge3``) differs in three ways: there, every list counts as one with keys
whose entries happen to have a field such as ``name`` or ``ip``; a side that changed the same field always wins without a
word; and an entry that one side removed and the other changed is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from cluster_forge.foundation.errors import PatchError
from cluster_forge.manifests import field_path, list_keys
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.field_schema import UNKNOWN, FieldSchema, ListType
from cluster_forge.manifests.manifest import Body
from cluster_forge.patches import list_order, texts
from cluster_forge.patches.sameness import ABSENT, alike, same

Path = tuple[Step, ...]


class Side(StrEnum):
    """Whose value a conflict is decided for."""

    THEIRS = "theirs"
    MINE = "mine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A value that both sides changed from ``base``, differently; `ABSENT` for none. ``path`` as in `field_path`.

    Of a text with ``lines``: the values are only the lines that contradict each other, which are these of mine (from 1).
    """

    path: str
    base: Any
    theirs: Any
    mine: Any
    lines: range | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """The merged object with its conflicts (each decided for one side) and the paths at which both made the same change."""

    value: Body
    conflicts: tuple[Conflict, ...] = ()
    obsolete: tuple[str, ...] = ()


Decide = Callable[[Conflict], Side]


def merge(
    base: Body, theirs: Body, mine: Body, schema: FieldSchema | None, prefer: Decide = lambda _: Side.MINE
) -> Merge:
    """The object with both sides' changes; ``prefer`` decides each conflict, and is asked once for each.

    Raises:
        PatchError: if the objects are nested too deep.
    """
    run = _Run(prefer)
    try:
        value = run.value((), _Sides(base, theirs, mine), schema or UNKNOWN)
    except RecursionError as error:
        raise PatchError("the object is nested too deep to be merged") from error
    return Merge(value=value, conflicts=tuple(run.conflicts), obsolete=tuple(run.obsolete))


class _Sides(NamedTuple):
    """A value of each side, `ABSENT` where it has none."""

    base: Any
    theirs: Any
    mine: Any

    def at(self, key: Any) -> _Sides:
        """The values of one key; what is not a mapping has none."""
        return _Sides(*(side.get(key, ABSENT) if isinstance(side, Mapping) else ABSENT for side in self))

    def are_mappings(self) -> bool:
        return isinstance(self.theirs, Mapping) and isinstance(self.mine, Mapping)

    def are_lists(self) -> bool:
        return isinstance(self.theirs, list) and isinstance(self.mine, list)

    def are_texts(self) -> bool:
        return all(isinstance(side, str) and "\n" in side for side in self)


class _Run:
    """One merge: what it found so far."""

    def __init__(self, prefer: Decide) -> None:
        self._prefer = prefer
        self.conflicts: list[Conflict] = []
        self.obsolete: list[str] = []

    def value(self, path: Path, sides: _Sides, schema: FieldSchema) -> Any:
        base, theirs, mine = sides
        if same(theirs, base):
            return mine
        if same(mine, base):
            return theirs
        if same(theirs, mine):
            self._note_obsolete(path, base, theirs)
            return theirs
        merged = self._by_parts(path, sides, schema)
        return self._as_one(path, sides) if merged is ABSENT else merged

    def _by_parts(self, path: Path, sides: _Sides, schema: FieldSchema) -> Any:
        """The value merged by its parts; `ABSENT` if it has none."""
        if sides.are_mappings() and not schema.marks.is_one_value:
            return self._fields(path, sides, schema)
        if sides.are_lists() and schema.list_type is ListType.MAP:
            return self._entries(path, sides, schema)
        if sides.are_lists() and schema.list_type is ListType.SET:
            return _members(sides)
        return self._lines(path, sides) if sides.are_texts() else ABSENT

    def _as_one(self, path: Path, sides: _Sides) -> Any:
        """The value of the side that changed it."""
        base, theirs, mine = sides
        if alike(theirs, base):
            return mine
        if alike(mine, base) or alike(theirs, mine):
            return theirs
        return self._decided(path, sides)

    def _decided(self, path: Path, sides: _Sides, lines: range | None = None) -> Any:
        base, theirs, mine = sides
        conflict = Conflict(path=field_path.text(path), base=base, theirs=theirs, mine=mine, lines=lines)
        self.conflicts.append(conflict)
        return mine if self._prefer(conflict) is Side.MINE else theirs

    def _fields(self, path: Path, sides: _Sides, schema: FieldSchema) -> dict[str, Any]:
        names = dict.fromkeys((*sides.theirs, *sides.mine))
        merged = {name: self.value((*path, name), sides.at(name), schema.field(name)) for name in names}
        return {name: value for name, value in merged.items() if value is not ABSENT}

    def _entries(self, path: Path, sides: _Sides, schema: FieldSchema) -> Any:
        keyed = _Sides(*(list_keys.by_key(side, schema.marks) for side in sides))
        if None in keyed:
            return ABSENT
        keys = dict.fromkeys((*keyed.theirs, *keyed.mine))
        merged = {key: self.value((*path, key), keyed.at(key), schema.entries) for key in keys}
        kept = {key: value for key, value in merged.items() if value is not ABSENT}
        order = list_order.merged_order(keyed.base, keyed.theirs, keyed.mine, kept)
        if order is None:
            is_mine = self._decided(path, sides) is sides.mine
            first, second = (keyed.mine, keyed.theirs) if is_mine else (keyed.theirs, keyed.mine)
            order = list_order.with_insertions(first, second, kept)
        return [kept[key] for key in order]

    def _lines(self, path: Path, sides: _Sides) -> str:
        pieces = texts.merge(*sides)
        return "".join(
            piece
            if isinstance(piece, str)
            else self._decided(path, _Sides(piece.base, piece.theirs, piece.mine), piece.lines)
            for piece in pieces
        )

    def _note_obsolete(self, path: Path, base: Any, both: Any) -> None:
        """Notes the fields in which ``both`` sides differ from base."""
        if not isinstance(base, Mapping) or not isinstance(both, Mapping):
            self.obsolete.append(field_path.text(path))
            return
        for key in dict.fromkeys((*base, *both)):
            before, after = base.get(key, ABSENT), both.get(key, ABSENT)
            if not same(before, after):
                self._note_obsolete((*path, key), before, after)


def _members(sides: _Sides) -> Any:
    """The set with what either side added and without what either took out; `ABSENT` if one side is none."""
    sets = _Sides(*map(list_keys.members, sides))
    if None in sets:
        return ABSENT
    base, theirs, mine = sets
    kept = {key: value for key, value in (theirs | mine).items() if (key in theirs and key in mine) or key not in base}
    order = list_order.merged_order(base, theirs, mine, kept) or list(kept)
    return [kept[key] for key in order]
