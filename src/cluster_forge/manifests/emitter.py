"""Objects as YAML text that Kubernetes, YAML 1.1 and YAML 1.2 parsers read as the identical value.

The style is kubectl's: block mappings in the order in which they come, sequences flush with their key, multi-line
strings as literal blocks. A string is plain only if every parser reads it as a string: what one of them reads as a
boolean, a number, a date or a null (``y``, ``0o17``, ``1e3``, ``1_000``, ``1:30``, ``2001-01-01``) is quoted. Lines are
never folded: nothing depends on the width of the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.yaml.scalar_writer import block, line, scalar

_DEEPEST = 400
"""Spaces before a line, two for each level: the deepest line of 181 real charts has 74. Python's own stack ends at 1,000."""

_BREAK = "\n"
_LINE_START = re.compile(r"\n(?=[^\n])")
"""Before a line that is not empty: an empty one in a literal block stays empty."""

_SURELY_SHORT = 160
"""Escaping makes at most six characters of one."""
_LONGEST_KEY = 1000
"""YAML allows 1,024 characters for a key before its colon (YAML 1.2.2, 7.4.2); a longer one needs the explicit form."""


def document(body: Mapping[str, Any]) -> str:
    """``body`` as one YAML document, without a ``---`` line, ended by a line break.

    Raises:
        ManifestError: if it is nested too deep for other parsers.
    """
    lines: list[str] = []
    _mapping(body, "", lines)
    return "".join(lines) if lines else "{}\n"


def indented(text: str, spaces: int) -> str:
    """What `document` wrote, without the indentation of its first line, as it is below a key with ``spaces`` spaces before its lines."""
    return _LINE_START.sub("\n" + " " * spaces, text) if spaces else text


def _mapping(body: Mapping[str, Any], indent: str, lines: list[str]) -> None:
    deeper, append = _deeper(indent), lines.append
    for key, value in body.items():
        name = line(key) if len(key) < _SURELY_SHORT else _long(key, indent)
        kind = type(value)
        if kind is str:
            append(f"{indent}{name}: {block(value, deeper) if _BREAK in value else line(value)}\n")
        elif kind is dict and value:
            append(f"{indent}{name}:\n")
            _mapping(value, deeper, lines)
        elif kind is list and value:
            append(f"{indent}{name}:\n")
            _sequence(value, indent, lines)
        else:
            append(f"{indent}{name}: {scalar(value)}\n")


def _sequence(items: list[Any], indent: str, lines: list[str]) -> None:
    deeper = _deeper(indent)
    for item in items:
        kind = type(item)
        if kind is str:
            lines.append(f"{indent}- {block(item, deeper) if _BREAK in item else line(item)}\n")
        elif kind in (dict, list) and item:
            start = len(lines)
            if kind is dict:
                _mapping(item, deeper, lines)
            else:
                _sequence(item, deeper, lines)
            lines[start] = f"{indent}- {lines[start][len(deeper) :]}"
        else:
            lines.append(f"{indent}- {scalar(item)}\n")


def _deeper(indent: str) -> str:
    if len(indent) >= _DEEPEST:
        raise ManifestError(f"nesting too deep (limit {_DEEPEST // 2})", fix="remove the document")
    return indent + "  "


def _long(key: str, indent: str) -> str:
    """A key that may be too long for one line, before a colon: quoting may lengthen it."""
    name = line(key)
    return f"? {name}\n{indent}" if len(name) > _LONGEST_KEY else name
