"""One text of many YAML documents, cut apart as Helm cuts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WHITE = " \t\n\f\r"
_SEPARATOR = re.compile(r"(?:\A|\n)---[ \t\n\f\r]*")


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one document and the line (from 1) on which it begins."""

    text: str
    line: int


def rendered(text: str) -> Iterator[Document]:
    """The documents in the output of a template that hold more than white space and comments.

    Helm's separator is ``(?:^|\\s*\\n)---\\s*`` (Helm 4, ``pkg/release/v1/util/manifest.go``): three hyphens at the
    start of a line, whatever follows them; white space before it goes, and each document gets one line break at its end.
    Written here without the leading ``\\s*``, which costs quadratic time.
    """
    pieces = list(_pieces(text.lstrip(_WHITE), 1 + text.count("\n", 0, len(text) - len(text.lstrip(_WHITE)))))
    for number, (piece, line) in enumerate(pieces, start=1):
        tail = piece if number == len(pieces) else piece.rstrip(_WHITE)
        yield from _document(tail + "\n", line)


def written(text: str) -> Iterator[Document]:
    """The documents in a file that somebody wrote: cut at the same places, with every character kept."""
    pieces = list(_pieces(text.removeprefix("\ufeff"), 1))
    for number, (piece, line) in enumerate(pieces, start=1):
        yield from _document(piece if number == len(pieces) else piece + "\n", line)


def _pieces(text: str, line: int) -> Iterator[tuple[str, int]]:
    begin = 0
    for match in _SEPARATOR.finditer(text):
        yield text[begin : match.start()], line
        line += text.count("\n", begin, match.end())
        begin = match.end()
    yield text[begin:], line


def _document(text: str, line: int) -> Iterator[Document]:
    body = text.lstrip(_WHITE)
    if body and not _is_comment(body):
        yield Document(body, line + text.count("\n", 0, len(text) - len(body)))


def _is_comment(text: str) -> bool:
    return text.startswith("#") and all(not line or line.startswith("#") for line in map(str.strip, text.split("\n")))
