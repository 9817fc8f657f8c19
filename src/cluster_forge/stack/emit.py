"""Plain values as YAML text of our own: block style, short lists on one line, quotes wherever a parser might differ.

What is written is read back identically by `located` and by every YAML 1.1 or 1.2 parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cluster_forge.stack.scalar import resolve

_WIDEST: Final = 110
_BARE: Final = re.compile(r"[A-Za-z0-9/._](?:[A-Za-z0-9/._@%+=~^()<>;*-]|:(?=[A-Za-z0-9/._@-])| (?=[A-Za-z0-9/._(<]))*")
"""Text that may stand without quotes: no comma or bracket, so that it may stand inside of a list on one line too."""
_NUMERIC: Final = re.compile(r"[-+.]?[0-9][0-9_:.eExXoObBa-fA-FTtZz +-]*|\.+[0-9]*|\.[A-Za-z]+")
_WORDS: Final = re.compile(r"y|n|yes|no|on|off|true|false|null|none|nan|inf|infinity|~", re.IGNORECASE)
_PRINTABLE: Final = re.compile(
    r"[\x20-\x7e\u00a1-\u167f\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\U00010000-\U0010ffff]*"
)
_BLOCK: Final = re.compile(r"\S.*", re.DOTALL)
_SHORT: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def document(value: Mapping[str, Any]) -> str:
    """A mapping as a document, ended by a line break."""
    return "".join(f"{line}\n" for line in mapping(value)) or "{}\n"


def mapping(value: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """The lines of a mapping; none for an empty one."""
    for key, member in value.items():
        yield from _member(f"{indent}{scalar(str(key))}:", member, indent)


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
        return value if _is_bare(value) else _quoted(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


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
    if not isinstance(value, str) or not _is_block(value):
        yield f"{start} {scalar(value)}"
        return
    body = value.rstrip("\n")
    ends = len(value) - len(body)
    yield f"{start} |{'-' if not ends else '' if ends == 1 else '+'}"
    for line in (body + "\n" * max(0, ends - 1)).split("\n"):
        yield f"{indent}  {line}" if line else ""


def _flow(items: Sequence[Any]) -> str | None:
    """A list of words on one line."""
    if any(isinstance(item, Mapping | list | tuple) or (isinstance(item, str) and "\n" in item) for item in items):
        return None
    return f"[{', '.join(map(scalar, items))}]"


def _dashed(lines: Iterator[str], indent: str) -> Iterator[str]:
    first = next(lines)
    yield f"{indent}- {first[len(indent) + 2 :]}"
    yield from lines


def _is_bare(text: str) -> bool:
    if not _BARE.fullmatch(text) or _WORDS.fullmatch(text):
        return False
    if _NUMERIC.fullmatch(text) and (text.count(".") < 2 or not text[0].isdigit()):
        return False
    return resolve(text, plain=True) == text


def _is_block(text: str) -> bool:
    """Whether text of several lines may stand as it is: all of it printable, and no line that only looks empty."""
    lines = text.split("\n")
    return (
        len(lines) > 1
        and bool(_BLOCK.fullmatch(lines[0]))
        and all(_PRINTABLE.fullmatch(line) and (not line or line.strip()) for line in lines)
    )


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if _PRINTABLE.fullmatch(char):
        return char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("a lone surrogate is no text")
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
