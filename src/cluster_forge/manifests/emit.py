"""Objects as YAML text that Kubernetes, YAML 1.1 and YAML 1.2 parsers read back as the identical value.

The style is kubectl's: block mappings in the order in which they come, sequences flush with their key, multi-line
strings as literal blocks. A string stays bare only if no parser could take it for anything else: what one of them
reads as a boolean, a number, a date or a null (``y``, ``0o17``, ``1e3``, ``1_000``, ``1:30``, ``2001-01-01``) is quoted.
No line is ever folded, and nothing depends on the width of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cluster_forge.manifests.manifest import Body, Manifest

_LETTERS = "\u00a1-\u167f\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff"
"""Characters beyond ASCII that every parser takes as plain text: no spaces, no breaks, no controls."""

_BARE = re.compile(
    rf"[A-Za-z/(.<{_LETTERS}](?:[A-Za-z0-9_./@%+=,;()$!?*&'\"{{}}\[\]|<>^`\\~{_LETTERS}-]|:(?=[^\s:])|(?<=\S)#|\x20(?=[^\s#:&*!|>%@`-]))*"
)
_WORDS = re.compile(r"(?:y|n|yes|no|on|off|true|false|null|nan|inf|infinity)|[.][0-9].*|[.](?:inf|nan)|[.]+|<<|=", re.I)
_PRINTABLE = re.compile(rf"[\x20-\x7e{_LETTERS}\U00010000-\U0010ffff]*")
_BLOCK = re.compile(
    rf"\n*[\x21-\x7e{_LETTERS}\U00010000-\U0010ffff](?:[\x20-\x7e\n{_LETTERS}\U00010000-\U0010ffff]|(?<=[^\n])\t)*"
)
_ESCAPED = re.compile(rf"[^\x20\x21\x23-\x5b\x5d-\x7e{_LETTERS}\U00010000-\U0010ffff]")
_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LONGEST_KEY = 1000
"""YAML allows 1,024 characters to a key before its colon (YAML 1.2.2, 7.4.2); a longer one takes the explicit form."""


def document(body: Body) -> str:
    """``body`` as one YAML document, without a ``---`` line, ended by a line break."""
    lines: list[str] = []
    _mapping(body, "", lines)
    return "".join(lines) if lines else "{}\n"


def text(manifest: Manifest) -> bytes:
    """The manifest's document, written now unless it was written before."""
    return manifest.text if manifest.text is not None else document(manifest.body).encode()


def stream(documents: Iterable[str]) -> str:
    """Several documents as one text."""
    return "---\n".join(documents)


def _mapping(body: Body, indent: str, lines: list[str]) -> None:
    deeper = indent + "  "
    for key, value in body.items():
        name = _line(key)
        if len(name) > _LONGEST_KEY:
            name = f"? {name}\n{indent}"
        kind = type(value)
        if kind is str:
            lines.append(f"{indent}{name}: {_string(value, deeper)}\n")
        elif kind is dict and value:
            lines.append(f"{indent}{name}:\n")
            _mapping(value, deeper, lines)
        elif kind is list and value:
            lines.append(f"{indent}{name}:\n")
            _sequence(value, indent, lines)
        else:
            lines.append(f"{indent}{name}: {_scalar(value)}\n")


def _sequence(items: list[Any], indent: str, lines: list[str]) -> None:
    deeper = indent + "  "
    for item in items:
        kind = type(item)
        if kind is str:
            lines.append(f"{indent}- {_string(item, deeper)}\n")
        elif kind in (dict, list) and item:
            start = len(lines)
            if kind is dict:
                _mapping(item, deeper, lines)
            else:
                _sequence(item, deeper, lines)
            lines[start] = f"{indent}- {lines[start][len(deeper) :]}"
        else:
            lines.append(f"{indent}- {_scalar(item)}\n")


def _scalar(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    if value is None:
        return "null"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return str(value)
    return "{}" if isinstance(value, dict) else "[]"


def _float(value: float) -> str:
    """With a point and a signed exponent, or a YAML 1.1 parser reads a string."""
    mantissa, exponent, power = repr(value).partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}{exponent}{power}"


def _string(text: str, indent: str) -> str:
    """``text`` as a value; ``indent`` is where the lines of a block stand."""
    return _block(text, indent) if "\n" in text else _line(text)


@lru_cache(maxsize=8192)
def _block(text: str, indent: str) -> str:
    """``text`` as a literal block, or quoted where it has characters that a block cannot hold."""
    if not _BLOCK.fullmatch(text):
        return _quoted(text)
    body = text.rstrip("\n")
    breaks = len(text) - len(body)
    header = "|-" if not breaks else "|" if breaks == 1 else "|+"
    lines = [header]
    lines.extend(indent + line if line else "" for line in body.split("\n"))
    lines.extend([""] * (breaks - 1))
    return "\n".join(lines)


@lru_cache(maxsize=65536)
def _line(text: str) -> str:
    """``text`` on one line: bare where that is safe, else quoted. A long one without blanks is data, and not looked at."""
    if len(text) > _LONGEST_KEY and " " not in text and text.isascii() and text.isprintable():
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if _BARE.fullmatch(text) and not _WORDS.fullmatch(text):
        return text
    if ('"' in text or "\\" in text) and _PRINTABLE.fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    return _quoted(text)


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
