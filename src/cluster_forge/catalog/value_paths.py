"""Paths in nested values: the keys that lead to a part of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Path = tuple[str, ...]
"""The keys that lead to a value."""


def walk(values: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in nested mappings with its path, the mappings too."""
    if isinstance(values, Mapping):
        for key, member in values.items():
            yield (*path, key), member
            yield from walk(member, (*path, key))


def at(values: Any, path: Iterable[str]) -> Any:
    """The value at a path; None if there is none."""
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def nested(path: Sequence[str], value: Any) -> Any:
    """The mapping that has ``value`` at a path, and nothing else."""
    for key in reversed(path):
        value = {key: value}
    return value


def dotted(path: Path) -> str:
    """A path as ``a.b.c``."""
    return ".".join(path)
