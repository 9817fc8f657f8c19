"""What a server asks for with ``401 Unauthorized``: the ``WWW-Authenticate`` header (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_LONGEST: Final = 16 << 10
_MOST: Final = 32
"""Challenges in one header, and parameters of one challenge."""

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the grammar's word (RFC 9110, 5.6.2)
_BETWEEN: Final = re.compile(r"[ \t,]*")
_PARAMETER: Final = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))[ \t]*(?=,|\Z)')
_SCHEME: Final = re.compile(rf"({_TOKEN})(?:[ \t]+|(?=,|\Z))")
_TOKEN68: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One scheme in lower case, with its parameters; their names are in lower case, too."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(headers: Iterable[str]) -> list[Challenge]:
    """The challenges in the values of the header, in their order. What follows a mistake in a value is left out."""
    return [challenge for header in headers for challenge in _challenges(header[:_LONGEST])]


def _challenges(header: str) -> Iterator[Challenge]:
    """The challenges of one value. A comma separates challenges as well as parameters: what has no ``=`` is a scheme."""
    position = _end(_BETWEEN, header, 0)
    for _ in range(_MOST):
        scheme = _SCHEME.match(header, position)
        if not scheme:
            return
        parameters, position = _parameters(header, scheme.end())
        yield Challenge(scheme=scheme[1].lower(), parameters=parameters)


def _parameters(header: str, position: int) -> tuple[dict[str, str], int]:
    """The parameters from a position on, the first of each name, and where the next challenge begins."""
    parameters: dict[str, str] = {}
    if not _PARAMETER.match(header, position):  # `Negotiate YII=`
        position = _end(_TOKEN68, header, position)
    position = _end(_BETWEEN, header, position)
    while len(parameters) < _MOST and (match := _PARAMETER.match(header, position)):
        value = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        parameters.setdefault(match[1].lower(), value)
        position = _end(_BETWEEN, header, match.end())
    return parameters, position


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
