"""Reads the generated tables of fields: a line with a definition, and below it, indented, a line for each of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple


class FieldLine(NamedTuple):
    """A field: the minors that have it (``25-31,33``), its type (``[]X`` a list, ``{}X`` a mapping of such), its marks."""

    name: str
    minors: str
    type: str
    marks: tuple[str, ...]


def definitions(table: str) -> Mapping[str, str]:
    """The lines below each definition, not read yet: most are never asked for."""
    blocks: dict[str, list[str]] = {}
    below: list[str] = []
    for line in table.splitlines():
        if line.startswith(" "):
            below.append(line)
        elif line:
            below = blocks[line] = []
    return MappingProxyType({name: "\n".join(lines) for name, lines in blocks.items()})


def fields(lines: str) -> Iterator[FieldLine]:
    """The fields of one definition."""
    for line in lines.splitlines():
        name, minors, type_, *marks = line.split()
        yield FieldLine(name, minors, type_, tuple(marks))
