"""From the text of an expression to tokens ("Language Definition", section "Syntax")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from cluster_forge.cel.errors import InvalidExpressionError
from cluster_forge.cel.values import LARGEST_INT, LARGEST_UINT, UInt


class Kind(StrEnum):
    LITERAL = "literal"
    NAME = "name"
    SYMBOL = "symbol"
    END = "end"


class Token(NamedTuple):
    """``value`` is a literal's value, or the text."""

    kind: Kind
    value: Any
    offset: int


_TOKEN: Final = re.compile(
    r"""
      (?P<space>(?:\s|//[^\n]*)+)
    | (?P<number>(?:0x[0-9a-fA-F]+|\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+)[uU]?)
    | (?P<prefix>[rR]?[bB]?|[bB][rR])(?P<quote>\"\"\"|'''|"|')
    | (?P<name>[_a-zA-Z]\w*|`[\w.\-/ ]+`)
    | (?P<symbol>&&|\|\||[=!<>]=|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE | re.ASCII,
)
_ESCAPE: Final = re.compile(
    r"\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL
)
_SIMPLE: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip
_WORDS: Final = {"true": True, "false": False, "null": None}
_LARGEST_CHARACTER: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


def of(source: str) -> Iterator[Token]:
    """The tokens of an expression; the last one is the end.

    Raises:
        InvalidExpressionError: for what is not a token.
    """
    offset = 0
    while offset < len(source):
        match = _TOKEN.match(source, offset)
        if not match:
            raise InvalidExpressionError(f"unexpected {source[offset]!r}", offset=offset)
        if match["quote"]:
            token, offset = _text(source, match)
            yield token
            continue
        if match["number"]:
            if source[match.end() : match.end() + 1].isalpha():
                raise InvalidExpressionError(f"{match['number']!r} is followed by a letter", offset=offset)
            yield Token(Kind.LITERAL, _number(match["number"], offset), offset)
        elif match["name"]:
            yield _word(match["name"], offset)
        elif match["symbol"]:
            yield Token(Kind.SYMBOL, match["symbol"], offset)
        offset = match.end()
    yield Token(Kind.END, "", len(source))


def _word(text: str, offset: int) -> Token:
    if text in _WORDS:
        return Token(Kind.LITERAL, _WORDS[text], offset)
    if text == "in":
        return Token(Kind.SYMBOL, text, offset)
    return Token(Kind.NAME, text.strip("`"), offset)


def _number(text: str, offset: int) -> int | float | UInt:
    """A number; the largest integer is one too large, since the smallest one is its negation."""
    is_hexadecimal = text.startswith("0x")
    digits = text.rstrip("uU")
    if not is_hexadecimal and any(mark in digits for mark in ".eE"):
        if digits != text:
            raise InvalidExpressionError(f"{text!r} is not an integer", offset=offset)
        return float(text)
    if len(digits) > len(str(LARGEST_UINT)):
        raise InvalidExpressionError("the number has more than 64 bits", offset=offset)
    number = int(digits, 16 if is_hexadecimal else 10)
    is_unsigned = digits != text
    if number > (LARGEST_UINT if is_unsigned else LARGEST_INT + 1):
        raise InvalidExpressionError("the number has more than 64 bits", offset=offset)
    return UInt(number) if is_unsigned else number


def _text(source: str, match: re.Match[str]) -> tuple[Token, int]:
    quote, prefix, start = match["quote"], match["prefix"].lower(), match.end()
    is_raw = "r" in prefix
    end = start
    while not source.startswith(quote, end):
        if end >= len(source) or (len(quote) == 1 and source[end] in "\r\n"):
            raise InvalidExpressionError(f"the text has no closing {quote}", offset=match.start())
        end += 2 if source[end] == "\\" and not is_raw else 1
    content, is_bytes = source[start:end], "b" in prefix
    if not is_raw:
        content = _unescaped(content, start, is_bytes=is_bytes)
    if not is_bytes:
        return Token(Kind.LITERAL, content, match.start()), end + len(quote)
    literal = content.encode() if is_raw else content.encode("latin-1")
    return Token(Kind.LITERAL, literal, match.start()), end + len(quote)


def _unescaped(content: str, start: int, *, is_bytes: bool) -> str:
    r"""Text without escapes. Of bytes each character is one byte: ``\xff`` is a byte there, and a character in text."""

    def replaced(match: re.Match[str]) -> str:
        hexadecimal, short, long, octal, simple = match.groups()
        if simple is not None:
            if simple not in _SIMPLE:
                raise InvalidExpressionError(f"unknown escape \\{simple}", offset=start + match.start())
            return _SIMPLE[simple]
        code = int(octal, 8) if octal else int(hexadecimal or short or long, 16)
        if code > _LARGEST_CHARACTER or code in _SURROGATES or (is_bytes and (short or long)):
            raise InvalidExpressionError(f"{match[0]} is not a character", offset=start + match.start())
        return chr(code)

    if not is_bytes:
        return _ESCAPE.sub(replaced, content)
    parts: list[str] = []
    offset = 0
    for match in _ESCAPE.finditer(content):
        parts += [content[offset : match.start()].encode().decode("latin-1"), replaced(match)]
        offset = match.end()
    return "".join([*parts, content[offset:].encode().decode("latin-1")])
