"""Scalars as YAML text from which Kubernetes, YAML 1.1 and YAML 1.2 parsers read the identical value.

A string is written without quotes only if no parser reads it as a boolean, a number, a date or a null (``y``, ``0o17``,
``1e3``, ``1_000``, ``1:30``, ``2001-01-01``). No line is ever folded.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

_LETTERS = "\u00a1-\u167f\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff"
"""Characters beyond ASCII that every parser reads as plain text: no spaces, line breaks or controls."""

_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+){2,}(?:[-+][0-9A-Za-z.-]+)?")
"""A version or an IP address: with two dots, no parser reads it as a number."""

_WORDS = re.compile(r"(?:y|n|yes|no|on|off|true|false|null|nan|inf|infinity)|[.][0-9].*|[.](?:inf|nan)|[.]+|<<|=", re.I)
_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LONG = 1000
_LONGEST_BARE = 100_000
"""Longer text is quoted: matching it would take 40 bytes of memory a character."""
_LONGEST_KEY = 1000
"""YAML allows 1,024 characters before the colon of a key (YAML 1.2.2, 7.4.2)."""


@cache
def _bare() -> re.Pattern[str]:
    """Text that needs no quotes unless it is one of `_WORDS`. Compiled on first use, as the next ones: that takes 20 ms."""
    return re.compile(
        rf"(?:--(?=[A-Za-z]))?[A-Za-z/(.<{_LETTERS}](?:[A-Za-z0-9_./@%+=,;()$!?*&'\"{{}}\[\]|<>^`\\~{_LETTERS}-]|:(?=[^\s:])|(?<=\S)#|\x20(?=[^\s#:&*!|>%@`-]))*"
    )


@cache
def _printable() -> re.Pattern[str]:
    return re.compile(rf"[\x20-\x7e{_LETTERS}\U00010000-\U0010ffff]*")


@cache
def _no_block() -> re.Pattern[str]:
    """What a literal block cannot contain: a leading blank, a tab at the start of a line, anything but plain text."""
    return re.compile(rf"\A\n*(?:[\x20\t]|\Z)|\n\t|[^\x20-\x7e\n\t{_LETTERS}\U00010000-\U0010ffff]")


@cache
def _escaped() -> re.Pattern[str]:
    return re.compile(rf"[^\x20\x21\x23-\x5b\x5d-\x7e{_LETTERS}\U00010000-\U0010ffff]")


def scalar(value: Any) -> str:
    """A number, a boolean, null, or an empty collection."""
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
    """With a dot and a signed exponent: otherwise a YAML 1.1 parser reads a string."""
    mantissa, exponent, power = repr(value).partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}{exponent}{power}"


@lru_cache(maxsize=8192)
def block(text: str, indent: str) -> str:
    """``text`` as a literal block, or quoted if a block cannot contain it."""
    if _no_block().search(text):
        return quoted(text)
    body = text.rstrip("\n")
    breaks = len(text) - len(body)
    header = "|-" if not breaks else "|" if breaks == 1 else "|+"
    lines = [header]
    lines.extend(indent + line if line else "" for line in body.split("\n"))
    lines.extend([""] * (breaks - 1))
    return "\n".join(lines)


@lru_cache(maxsize=65536)
def line(text: str) -> str:
    """``text`` on one line: without quotes where that is safe. Long text without blanks is data and always quoted."""
    if len(text) > _LONG and " " not in text and text.isascii() and text.isprintable():
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if len(text) <= _LONGEST_BARE and (
        (_bare().fullmatch(text) and not _WORDS.fullmatch(text)) or _DOTTED.fullmatch(text)
    ):
        return text
    if ('"' in text or "\\" in text) and _printable().fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    return quoted(text)


def is_long_key(key: str) -> bool:
    """Whether a written key needs the explicit form: ``? KEY``, a line break, ``: VALUE``."""
    return len(key) > _LONGEST_KEY


def quoted(text: str) -> str:
    """``text`` in double quotes.

    Raises:
        ValueError: for a lone surrogate, which UTF-8 cannot encode.
    """
    return '"' + _escaped().sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("a lone surrogate is not text")
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
