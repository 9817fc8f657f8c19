"""The types of values by which costs are estimated, and how large a value may be.

Sources: ``k8s.io/apiserver``, ``pkg/cel/types.go`` (``DeclType``); cel-go, ``checker/cost.go`` (``SizeEstimate``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

LARGEST: Final = (1 << 64) - 1
"""What no estimate exceeds."""


class Kind(StrEnum):
    """What a type is; OTHER are those of Kubernetes' libraries, whose values have no parts."""

    BOOL = "bool"
    BYTES = "bytes"
    DOUBLE = "double"
    DURATION = "duration"
    DYN = "dyn"
    INT = "int"
    LIST = "list"
    MAP = "map"
    NULL = "null_type"
    OBJECT = "object"
    OPTIONAL = "optional_type"
    OTHER = "other"
    STRING = "string"
    TIMESTAMP = "timestamp"
    TYPE = "type"


SCALARS: Final = frozenset({Kind.BOOL, Kind.DOUBLE, Kind.DURATION, Kind.INT, Kind.TIMESTAMP})
"""Kinds of values of a fixed size."""
TEXTS: Final = frozenset({Kind.STRING, Kind.BYTES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A type: ``entry`` are the entries of a list, the values of a map, or what is optional; ``most`` limits a text, list or
    map, and ``least_bytes`` is the size of its shortest JSON.
    """

    kind: Kind
    most: int = 0
    least_bytes: int = 0
    fields: Mapping[str, Declared] = field(default_factory=dict)
    entry: Declared | None = None

    @property
    def is_scalar(self) -> bool:
        if self.kind is Kind.OPTIONAL:
            return self.entry is not None and self.entry.is_scalar
        return self.kind in SCALARS


BOOL: Final = Declared(kind=Kind.BOOL)
INT: Final = Declared(kind=Kind.INT)
DOUBLE: Final = Declared(kind=Kind.DOUBLE)
STRING: Final = Declared(kind=Kind.STRING)
BYTES: Final = Declared(kind=Kind.BYTES)
DYN: Final = Declared(kind=Kind.DYN)
OTHER: Final = Declared(kind=Kind.OTHER)
TYPE: Final = Declared(kind=Kind.TYPE)


def optional(of: Declared) -> Declared:
    return Declared(kind=Kind.OPTIONAL, entry=of)


def entry(of: Declared) -> Declared:
    """The type of what is in a list, map or optional value."""
    return of.entry or DYN


def list_of(declared: Declared) -> Declared:
    return Declared(kind=Kind.LIST, entry=declared)


@dataclass(frozen=True, slots=True)
class Size:
    """The least and the most characters, bytes or entries of a value."""

    least: int
    most: int

    def plus(self, other: Size) -> Size:
        return Size(limited(self.least + other.least), limited(self.most + other.most))

    def times(self, other: Size) -> Size:
        return Size(limited(self.least * other.least), limited(self.most * other.most))

    def or_else(self, other: Size) -> Size:
        """The size of a value that is one of two."""
        return Size(min(self.least, other.least), max(self.most, other.most))


UNKNOWN_SIZE: Final = Size(0, LARGEST)
ONE: Final = Size(1, 1)


def limited(number: int) -> int:
    return min(number, LARGEST)


def share(number: int, factor: float) -> int:
    """A part of a number, rounded up; with the precision of a double, as in Go."""
    return limited(math.ceil(float(number) * factor))


def sized(declared: Declared, size: Size | None) -> Size | None:
    """The size of a computed value."""
    return size if size is not None else ONE if declared.is_scalar else None
