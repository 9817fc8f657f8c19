"""One text of many YAML documents, cut apart as Helm cuts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WHITE = " \t\n\f\r"
_MARK, _BREAK = "---", "\n---"
_WHITES = re.compile(f"[{_WHITE}]*")
_BLANK_LINES = re.compile(r"(?:[ \t\f\r]*\n)*")
"""What goes before a document that somebody wrote; its first line may be indented, as the others are then."""


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one document and the line (from 1) on which it begins."""

    text: str
    line: int


def rendered(text: str) -> Iterator[Document]:
    r"""The documents in the output of a template that hold more than white space and comments.

    Helm's separator is ``(?:^|\s*\n)---\s*`` (Helm 4, ``pkg/release/v1/util/manifest.go``): three hyphens at the
    start of a line, whatever follows them; white space before it goes, and each document gets one line break at its end.
    Written here without the leading ``\s*``, which costs quadratic time.
    """
    before = len(text) - len(text.lstrip(_WHITE))
    pieces = list(_pieces(text[before:], 1 + text.count("\n", 0, before), _WHITES))
    for number, (piece, line) in enumerate(pieces, start=1):
        tail = piece if number == len(pieces) else piece.rstrip(_WHITE)
        yield from _document(tail + "\n", line, _WHITES)


def written(text: str) -> Iterator[Document]:
    """The documents in a file that somebody wrote: cut at the same places, with every character kept."""
    pieces = list(_pieces(text.removeprefix("\ufeff"), 1, _BLANK_LINES))
    for number, (piece, line) in enumerate(pieces, start=1):
        yield from _document(piece if number == len(pieces) else piece + "\n", line, _BLANK_LINES)


def _pieces(text: str, line: int, skipped: re.Pattern[str]) -> Iterator[tuple[str, int]]:
    """The text between separators, and the line that each piece begins on; ``skipped`` is what goes before one."""
    begin = 0
    at = 0 if text.startswith(_MARK) else text.find(_BREAK)
    while at >= 0:
        yield text[begin:at], line
        end = at + len(_MARK if at == 0 and text.startswith(_MARK) else _BREAK)
        rest = skipped.match(text, end)
        end = rest.end() if rest else end
        line += text.count("\n", begin, end)
        begin = end
        at = text.find(_BREAK, begin)
    yield text[begin:], line


def _document(text: str, line: int, skipped: re.Pattern[str]) -> Iterator[Document]:
    if text.isspace() or not text:
        return
    before = skipped.match(text)
    body = text[before.end() :] if before else text
    if not _is_comment(body.lstrip(_WHITE)):
        yield Document(body, line + text.count("\n", 0, len(text) - len(body)))


def _is_comment(text: str) -> bool:
    return text.startswith("#") and all(not line or line.startswith("#") for line in map(str.strip, text.split("\n")))
