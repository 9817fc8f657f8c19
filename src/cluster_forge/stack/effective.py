"""The effective description as YAML, each value with the file and line of its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cluster_forge.yaml import document_writer
from cluster_forge.yaml.positioned import Path

_COLUMN = 56


def text(effective: Mapping[str, Any], origins: Mapping[Path, str]) -> str:
    """The description as YAML; with ``origins``, a comment after every scalar."""
    return "".join(_commented(line, where) for line, where in _mapping(effective, (), "", origins)) or "{}\n"


def path_text(path: Path) -> str:
    """``components[3].values.replicas``."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")


Lines = Iterator[tuple[str, str]]


def _mapping(value: Mapping[str, Any], path: Path, indent: str, origins: Mapping[Path, str]) -> Lines:
    for key, member in value.items():
        yield from _member(f"{indent}{document_writer.scalar(str(key))}:", member, (*path, key), indent, origins)


def _sequence(items: list[Any], path: Path, indent: str, origins: Mapping[Path, str]) -> Lines:
    for index, item in enumerate(items):
        here = (*path, index)
        if isinstance(item, Mapping | list) and item:
            inner = (
                _mapping(item, here, f"{indent}  ", origins)
                if isinstance(item, Mapping)
                else _sequence(item, here, f"{indent}  ", origins)
            )
            first, where = next(inner)
            yield f"{indent}- {first[len(indent) + 2 :]}", where
            yield from inner
        else:
            yield from _member(f"{indent}-", item, here, indent, origins)


def _member(start: str, value: Any, path: Path, indent: str, origins: Mapping[Path, str]) -> Lines:
    if isinstance(value, Mapping) and value:
        yield start, ""
        yield from _mapping(value, path, f"{indent}  ", origins)
    elif isinstance(value, list) and value:
        yield start, ""
        yield from _sequence(value, path, indent, origins)
    else:
        yield f"{start} {document_writer.scalar(value)}", origins.get(path, "")


def _commented(line: str, where: str) -> str:
    return f"{line:<{_COLUMN}}  # {' '.join(where.split())}\n" if where else f"{line}\n"
