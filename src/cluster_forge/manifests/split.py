"""A text of several YAML documents, split as Helm splits it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_WHITE = " \t\n\f\r"
_MARK, _BREAK = "---", "\n---"
_WHITES = re.compile(f"[{_WHITE}]*")

Skip = Callable[[str, int], int]
"""The start of a document, given a text and the end of the separator before it."""


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The text of one document and the line (from 1) on which it begins."""

    text: str
    line: int


def rendered(text: str) -> Iterator[DocumentText]:
    r"""The documents in the output of a template that are more than white space and comments.

    Helm's separator is ``(?:^|\s*\n)---\s*`` (Helm 4, ``pkg/release/v1/util/manifest.go``): three hyphens at the
    start of a line, whatever follows them. White space before it is dropped, and each document ends in one line break.
    Written here without the leading ``\s*``, which costs quadratic time.
    """
    before = len(text) - len(text.lstrip(_WHITE))
    pieces = list(_pieces(text[before:], 1 + text.count("\n", 0, before), _white_space))
    for number, (piece, line) in enumerate(pieces, start=1):
        tail = piece if number == len(pieces) else piece.rstrip(_WHITE)
        yield from _document(tail + "\n", line, _white_space)


def written(text: str) -> Iterator[DocumentText]:
    """The documents in a file of the user: split at the same places, with every character kept."""
    pieces = list(_pieces(text.removeprefix("\ufeff"), 1, _blank_lines))
    for number, (piece, line) in enumerate(pieces, start=1):
        yield from _document(piece if number == len(pieces) else piece + "\n", line, _blank_lines)


def _pieces(text: str, line: int, skip: Skip) -> Iterator[tuple[str, int]]:
    """The texts between separators, each with its first line; ``skip`` finds the start of a document."""
    begin = 0
    at = 0 if text.startswith(_MARK) else text.find(_BREAK)
    while at >= 0:
        yield text[begin:at], line
        end = at + len(_MARK if at == 0 and text.startswith(_MARK) else _BREAK)
        end = skip(text, end)
        line += text.count("\n", begin, end)
        begin = end
        at = text.find(_BREAK, begin)
    yield text[begin:], line


def _document(text: str, line: int, skip: Skip) -> Iterator[DocumentText]:
    if text.isspace() or not text:
        return
    body = text[skip(text, 0) :]
    if not _is_comment(body.lstrip(_WHITE)):
        yield DocumentText(body, line + text.count("\n", 0, len(text) - len(body)))


def _is_comment(text: str) -> bool:
    return text.startswith("#") and all(not line or line.startswith("#") for line in map(str.strip, text.split("\n")))


def _white_space(text: str, start: int) -> int:
    white = _WHITES.match(text, start)
    return white.end() if white else start


def _blank_lines(text: str, start: int) -> int:
    """Skips blank lines, not the indentation of the first line: the others may have the same."""
    return max(start, text.rfind("\n", start, _white_space(text, start)) + 1)
