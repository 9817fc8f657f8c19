"""How the values of a field merge, as its schema says: which lists have keys, which are sets, what is one value.

Sources: Kubernetes, "Server-Side Apply", Merge strategy (``x-kubernetes-list-type``, ``x-kubernetes-list-map-keys``,
``x-kubernetes-map-type``), and "Strategic Merge Patch" (``x-kubernetes-patch-strategy``, ``x-kubernetes-patch-merge-key``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class ListType(StrEnum):
    """What the entries of a list are to each other."""

    ATOMIC = "atomic"
    """One value: the list is replaced as a whole."""
    SET = "set"
    """Scalars, each once."""
    MAP = "map"
    """Mappings, identified by `Marks.keys`."""


class PatchStrategy(StrEnum):
    """What a strategic merge patch does with a field."""

    REPLACE = "replace"
    """The patch's value replaces it: lists, and the few mappings that say so."""
    MERGE = "merge"
    """Entries are merged: mappings, and lists with a merge key; entries of a set are added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What a schema says of merging one field. ``defaults`` are those of ``keys``, which an entry may leave out.

    ``merge_key``: the key by which a strategic merge patch finds an entry; it may be one of several ``keys``. ``is_one_value``:
    the fields of a mapping only mean something together (a reference, a label selector).
    """

    list_type: ListType = ListType.ATOMIC
    keys: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    list_strategy: PatchStrategy = PatchStrategy.REPLACE
    merge_key: str = ""
    mapping_strategy: PatchStrategy = PatchStrategy.MERGE
    is_one_value: bool = False


class FieldSchema(ABC):
    """The schema of a field, from which those below it are reached. A field that it does not know is `UNKNOWN`."""

    __slots__ = ("marks",)

    def __init__(self, marks: Marks) -> None:
        self.marks = marks

    @property
    def list_type(self) -> ListType:
        return self.marks.list_type

    @property
    def keys(self) -> tuple[str, ...]:
        return self.marks.keys

    @abstractmethod
    def field(self, name: str) -> FieldSchema:
        """The field ``name`` of a mapping, or the values of one with names of its own."""

    @property
    @abstractmethod
    def entries(self) -> FieldSchema:
        """The entries of a list."""


class _Unknown(FieldSchema):
    __slots__ = ()

    def field(self, name: str) -> FieldSchema:  # noqa: ARG002 - any name
        return self

    @property
    def entries(self) -> FieldSchema:
        return self


UNKNOWN: Final[FieldSchema] = _Unknown(Marks())
"""Nothing is known: mappings merge by key, lists are one value."""
