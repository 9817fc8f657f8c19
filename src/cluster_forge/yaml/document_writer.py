"""Mappings as YAML for people: block style, short lists on one line, quotes wherever parsers might differ.

`positioned_reader` and every YAML 1.1 or 1.2 parser read the identical value from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.yaml import scalar_writer

_WIDEST: Final = 110
_IN_LISTS: Final = frozenset(",[]{}?")
"""Characters that need quotes in a list on one line."""


def document(value: Mapping[str, Any]) -> str:
    """A mapping as a document that ends with a line break."""
    return "".join(f"{line}\n" for line in mapping(value)) or "{}\n"


def mapping(value: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """The lines of a mapping; none if it is empty."""
    for key, member in value.items():
        name = scalar(str(key))
        if scalar_writer.is_long_key(name):
            yield f"{indent}? {name}"
            name = ""
        yield from _member(f"{indent}{name}:", member, indent)


def sequence(items: Sequence[Any], indent: str = "") -> Iterator[str]:
    """The lines of a list; none if it is empty."""
    for item in items:
        if isinstance(item, Mapping) and item:
            yield from _dashed(mapping(item, indent + "  "), indent)
        elif isinstance(item, list | tuple) and item:
            yield from _dashed(sequence(item, indent + "  "), indent)
        else:
            yield from _text(f"{indent}-", item, indent)


def scalar(value: Any) -> str:
    """A scalar or an empty collection on one line.

    Raises:
        ValueError: for text with a lone surrogate, which UTF-8 cannot encode, and for a collection with content.
    """
    if isinstance(value, str):
        text = scalar_writer.line(value)
        return scalar_writer.quoted(value) if text == value and _IN_LISTS.intersection(value) else text
    if value and isinstance(value, Mapping | list | tuple):
        raise ValueError("a collection with content is not a scalar")
    return scalar_writer.scalar({} if isinstance(value, Mapping) else [] if isinstance(value, tuple) else value)


def _member(key: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield key
        yield from mapping(value, indent + "  ")
    elif isinstance(value, list | tuple) and value:
        flow = _flow(value)
        if flow and len(key) + len(flow) < _WIDEST:
            yield f"{key} {flow}"
        else:
            yield key
            yield from sequence(value, indent)
    else:
        yield from _text(key, value, indent)


def _text(start: str, value: Any, indent: str) -> Iterator[str]:
    text = scalar_writer.block(value, f"{indent}  ") if isinstance(value, str) and "\n" in value else scalar(value)
    yield from f"{start} {text}".split("\n")


def _flow(items: Sequence[Any]) -> str | None:
    """A list of scalars on one line; None if it needs several lines."""
    if any(isinstance(item, Mapping | list | tuple) or (isinstance(item, str) and "\n" in item) for item in items):
        return None
    return f"[{', '.join(map(scalar, items))}]"


def _dashed(lines: Iterator[str], indent: str) -> Iterator[str]:
    first = next(lines)
    yield f"{indent}- {first[len(indent) + 2 :]}"
    yield from lines
