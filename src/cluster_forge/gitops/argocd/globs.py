r"""The patterns in Argo CD's settings, as its library gobwas/glob reads them (0.2.3, ``syntax/lexer`` and ``syntax/ast``).

``*`` is any text and ``?`` one character, ``[abc]`` and ``[a-z]`` are one of these, ``[!abc]`` is one of all others, ``{a,b*}`` is one
of these patterns, and ``\`` takes the next character as it is. Not those of Python's `fnmatch`, which knows neither ``{a,b}`` nor
``\``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cluster_forge.foundation.linear_pattern import LinearPattern, escaped

_MEMBERS: Final = re.compile(r"((?:\\.|[^\]\\])+)\]", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches all of ``text``. One that is not well-formed matches nothing, as for Argo CD; nor does one that
    is too large for `LinearPattern`.
    """
    try:
        return LinearPattern.parse("".join(_translated(pattern))).matches(text)
    except ValueError:
        return False


def _translated(pattern: str) -> Iterator[str]:
    """The regular expression, piece by piece.

    Raises:
        ValueError: for a ``[`` that does not begin a class.
    """
    place, depth = 0, 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        if character == "*":
            if pattern[place : place + 1] != "*":
                yield ".*"
        elif character == "?":
            yield "."
        elif character == "[":
            members, place = _class(pattern, place)
            yield members
        elif character == "{":
            depth += 1
            yield "(?:"
        elif character == "," and depth:
            yield "|"
        elif character == "}" and depth:
            depth -= 1
            yield ")"
        elif character != "\\":
            yield escaped(character)
        else:
            yield escaped(pattern[place : place + 1])
            place += 1
    yield ")" * depth


def _class(pattern: str, place: int) -> tuple[str, int]:
    """The class whose ``[`` is before ``place``, and the place after it: a range, or characters of which none is a range."""
    negation = "^" if pattern[place : place + 1] == "!" else ""
    place += len(negation)
    if pattern[place + 1 : place + 2] == "-":
        low, high = pattern[place], pattern[place + 2 : place + 3]
        if pattern[place + 3 : place + 4] != "]" or high < low:
            raise ValueError(f"{pattern!r} has a range that does not end")
        return f"[{negation}{_member(low)}-{_member(high)}]", place + 4
    match = _MEMBERS.match(pattern, place)
    if not match:
        raise ValueError(f"{pattern!r} has a `[` without its `]`")
    members = _ESCAPE.sub(r"\1", match[1])
    return f"[{negation}{''.join(map(_member, members))}]", match.end()


def _member(character: str) -> str:
    return character if character.isalnum() else f"\\{character}"
