"""Plain values as YAML text of our own: block style, short lists on one line, quotes wherever a parser might differ.

What is written is read back identically by `located` and by every YAML 1.1 or 1.2 parser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.yaml import scalar_writer

_WIDEST: Final = 110
_LONGEST_KEY: Final = 1000
"""YAML allows 1,024 characters to a key before its colon (YAML 1.2.2, 7.4.2); a longer one takes the explicit form."""

_IN_LISTS: Final = frozenset(",[]{}?")
"""What text may not have bare inside of a list on one line."""


def document(value: Mapping[str, Any]) -> str:
    """A mapping as a document, ended by a line break."""
    return "".join(f"{line}\n" for line in mapping(value)) or "{}\n"


def mapping(value: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """The lines of a mapping; none for an empty one."""
    for key, member in value.items():
        name = scalar(str(key))
        if len(name) > _LONGEST_KEY:
            yield f"{indent}? {name}"
            name = ""
        yield from _member(f"{indent}{name}:", member, indent)


def sequence(items: Sequence[Any], indent: str = "") -> Iterator[str]:
    """The lines of a list; none for an empty one."""
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
        ValueError: for text with a lone surrogate, which no UTF-8 can hold.
    """
    if isinstance(value, str):
        text = scalar_writer.line(value)
        return scalar_writer.quoted(value) if text == value and _IN_LISTS.intersection(value) else text
    if value and isinstance(value, Mapping | list | tuple):
        raise ValueError("a collection that holds something is no scalar")
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
    """A list of words on one line."""
    if any(isinstance(item, Mapping | list | tuple) or (isinstance(item, str) and "\n" in item) for item in items):
        return None
    return f"[{', '.join(map(scalar, items))}]"


def _dashed(lines: Iterator[str], indent: str) -> Iterator[str]:
    first = next(lines)
    yield f"{indent}- {first[len(indent) + 2 :]}"
    yield from lines
