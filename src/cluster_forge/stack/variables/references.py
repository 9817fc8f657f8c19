"""What a text refers to: ``${name}`` is a variable, ``${{ expression }}`` is computed, and ``$${`` stands for ``${``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

_START: Final = re.compile(r"\$?\$\{")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STRING: Final = re.compile(
    r"""
    [rR](?: \"{3}.*?\"{3} | '{3}.*?'{3} | "[^"\n]*" | '[^'\n]*' )
    | \"{3}(?: \\. | [^\\] )*?\"{3} | '{3}(?: \\. | [^\\] )*?'{3}
    | "(?: \\. | [^"\\\n] )*" | '(?: \\. | [^'\\\n] )*'
    """,
    re.DOTALL | re.VERBOSE,
)
"""A string of CEL ("Language Definition", section "String and Bytes Values"); a raw one has no escapes."""

MARK: Final = "${"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """``${name}`` at ``offset`` of the text."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """``${{ source }}``; ``offset`` is that of ``source`` in the text."""

    source: str
    offset: int


Piece: TypeAlias = str | Reference | Expression


class ReferenceSyntaxError(ValueError):
    """What follows ``${`` at ``offset`` is neither a name nor an expression; ``shown`` is the reference as it is written."""

    def __init__(self, message: str, *, offset: int, shown: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.shown = shown


def are_in(value: object) -> bool:
    """Whether a text may refer to something."""
    return isinstance(value, str) and MARK in value


def is_name(text: str) -> bool:
    """Whether a variable may be called so, reserved words aside."""
    return bool(_NAME.fullmatch(text))


def escaped(text: str) -> str:
    """The text as it must be written so that nothing in it refers to a variable."""
    return text.replace(MARK, f"${MARK}")


def pieces(text: str) -> tuple[Piece, ...]:
    """The text between references, and the references, in their order; no text is empty.

    Raises:
        ReferenceSyntaxError: for the first reference that is none.
    """
    taken: list[Piece] = []
    plain, position = "", 0
    while (start := _START.search(text, position)) is not None:
        plain += text[position : start.start()]
        if start[0].startswith("$$"):
            plain, position = plain + MARK, start.end()
            continue
        if plain:
            taken.append(plain)
        piece, position = _piece(text, start.start())
        taken.append(piece)
        plain = ""
    plain += text[position:]
    return (*taken, plain) if plain else tuple(taken)


def _piece(text: str, start: int) -> tuple[Piece, int]:
    """The reference that begins at ``start``, and where it ends."""
    inside = start + len(MARK)
    if text.startswith("{", inside):
        end = _end_of_expression(text, inside + 1)
        if end is None:
            raise ReferenceSyntaxError(
                "the expression has no end: `}}` is missing", offset=start, shown=_shown(text, start)
            )
        return Expression(source=text[inside + 1 : end], offset=inside + 1), end + 2
    close = text.find("}", inside)
    name = text[inside:close].strip() if close >= 0 else ""
    if not is_name(name):
        shown = _shown(text, start)
        raise ReferenceSyntaxError(f"{shown} is not the name of a variable", offset=start, shown=shown)
    return Reference(name=name, offset=start), close + 1


def _end_of_expression(text: str, start: int) -> int | None:
    """Where ``}}`` is that ends an expression: not in a string, and not that of a mapping in it."""
    depth, position = 0, start
    while position < len(text):
        character = text[position]
        if (character in "\"'" or text[position : position + 2] in ('r"', "r'", 'R"', "R'")) and (
            string := _STRING.match(text, position)
        ):
            position = string.end()
            continue
        if character == "}" and not depth:
            return position if text.startswith("}}", position) else None
        depth += {"{": 1, "}": -1}.get(character, 0)
        position += 1
    return None


def _shown(text: str, start: int) -> str:
    line = text[start : start + 60].partition("\n")[0]
    close = line.find("}")
    return line[: close + 1] if close >= 0 else line
