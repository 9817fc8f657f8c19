"""The lists of a strategic merge patch: which entry an entry of the patch means, and the order of what comes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cluster_forge.foundation.errors import PatchError
from cluster_forge.manifests import list_keys
from cluster_forge.manifests.field_schema import Marks
from cluster_forge.patches.sameness import ABSENT, same

DIRECTIVE: Final = "$patch"
DELETE: Final = "delete"
REPLACE: Final = "replace"
MERGE: Final = "merge"
ORDER: Final = "$setElementOrder/"
DELETIONS: Final = "$deleteFromPrimitiveList/"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPatch:
    """What a patch says of one field: its ``value`` (`ABSENT` for none), and the directives beside a list."""

    value: Any
    order: Any = ABSENT
    deletions: Any = ABSENT

    @classmethod
    def of(cls, patch: Mapping[str, Any], name: str) -> FieldPatch:
        value, order, deletions = (patch.get(f"{prefix}{name}", ABSENT) for prefix in ("", ORDER, DELETIONS))
        return cls(value=value, order=order, deletions=deletions)

    def is_of_list(self) -> bool:
        return isinstance(self.value, list) or self.has_directives()

    def has_directives(self) -> bool:
        return self.order is not ABSENT or self.deletions is not ABSENT


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry of the list that the patch makes, with its place in the original list; None for a new one."""

    value: Any
    place: int | None


class Entries:
    """The entries of a list while a patch changes them, each with a number; found by their keys.

    ``marks`` without a merge key are those of a set: an entry of the patch means what is the same.
    """

    def __init__(self, entries: Iterable[Placed], marks: Marks) -> None:
        self._marks = marks
        self._entries: dict[int, Placed] = {}
        self._index: defaultdict[object, list[int]] = defaultdict(list)
        self._next = 0
        for entry in entries:
            self.add(entry)

    def __getitem__(self, number: int) -> Placed:
        return self._entries[number]

    def add(self, entry: Placed) -> None:
        self._entries[self._next] = entry
        self._index[self._key(entry.value)].append(self._next)
        self._next += 1

    def replace(self, number: int, value: Any) -> None:
        """Gives an entry another value, which has the same keys."""
        self._entries[number] = replace(self._entries[number], value=value)

    def delete(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            del self._entries[number]

    def meant(self, wanted: Any) -> list[int]:
        """The entries that an entry of a patch means, by those of the keys that it names."""
        is_partial = bool(self._marks.merge_key) and not _names_all(wanted, self._marks)
        candidates = self._entries if is_partial else self._index.get(self._key(wanted), ())
        return [
            number for number in candidates if number in self._entries and self._is_meant(self[number].value, wanted)
        ]

    def single(self, wanted: Mapping[str, Any], where: str) -> int | None:
        """The one entry that is meant: the one with defaults for keys that are left out; None if there is none.

        Of entries with the same keys the first is taken, as kubectl does.

        Raises:
            PatchError: if several are meant, because a key is left out.
        """
        explicit = {**self._marks.defaults, **wanted}
        candidates = self.meant(explicit) or self.meant(wanted)
        left_out = [key for key in self._marks.keys if key not in explicit]
        if left_out and any(self._keys_of(number) != self._keys_of(candidates[0]) for number in candidates):
            raise PatchError(
                f"several entries have `{self._marks.merge_key}: {wanted[self._marks.merge_key]}`",
                where=where,
                fix=f"name {', '.join(f'`{key}`' for key in left_out)}, too",
            )
        return candidates[0] if candidates else None

    def ordered(self, named: Sequence[Any]) -> list[Any]:
        """The entries that a patch names in its order; each of the others before the first named one that came after it.

        ``named``: mappings with keys, or members of the set. Source: ``mergeSortedSlice`` of ``strategicpatch``.
        """
        own = list(dict.fromkeys(number for wanted in named for number in self.meant(wanted)))
        ours = set(own)
        others = [entry for number, entry in self._entries.items() if number not in ours]
        order, at = [], 0
        for number in own:
            while at < len(others) and _is_before(others[at], self[number]):
                order.append(others[at].value)
                at += 1
            order.append(self[number].value)
        return order + [entry.value for entry in others[at:]]

    def _key(self, value: Any) -> object:
        """What is the same for entries of which one may mean the other."""
        if self._marks.merge_key:
            return list_keys.entry_key(value, self._marks)
        return None if isinstance(value, dict | list) else list_keys.text(value)

    def _keys_of(self, number: int) -> list[str]:
        value = self[number].value
        return [list_keys.text(value.get(key, self._marks.defaults.get(key))) for key in self._marks.keys]

    def _is_meant(self, value: Any, wanted: Any) -> bool:
        if not self._marks.merge_key:
            return same(value, wanted)
        defaults = self._marks.defaults
        return (
            isinstance(value, Mapping)
            and isinstance(wanted, Mapping)
            and all(same(value.get(key, defaults.get(key)), wanted[key]) for key in self._marks.keys if key in wanted)
        )


def _names_all(wanted: Any, marks: Marks) -> bool:
    return isinstance(wanted, Mapping) and all(wanted.get(key) is not None for key in marks.keys)


def _is_before(one: Placed, other: Placed) -> bool:
    return one.place is not None and other.place is not None and one.place < other.place
