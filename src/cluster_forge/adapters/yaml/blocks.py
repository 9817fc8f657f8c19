"""Large documents entry by entry: a text that was read before is not read again.

Nearly all YAML of a platform is CRDs, and nearly all of a CRD is text that stands in others, too: the schemas of Pods, label
selectors, affinities. A block mapping is the union of its entries, and an entry reads the same wherever it stands (YAML 1.2.2,
8.2). So a large document is taken apart at the indentation of its lines; each distinct entry is read and written (`emitter`)
once, and what the document is made of is put together again. An entry is compared character by character with a former one.

Only block mappings with plain keys, and sequences of such mappings, are taken apart. All else is left to another reader, and
so is a document with anything unusual: a key that stands twice, odd indentation, an entry that the fast reader cannot prove.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, NamedTuple

import orjson

from cluster_forge.adapters.yaml import fast
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.manifests import emitter
from cluster_forge.ports.rendering import YamlDocument, YamlReader
from cluster_forge.yaml.scalar_writer import line

_LARGE: Final = 8_000
"""Characters of a document from which taking it apart pays."""
_MOST_LINES: Final = 100
"""Lines of an entry that is read as a whole; a longer mapping is taken apart."""
_BEGINNING: Final = 300
"""Characters by which a long mapping is looked up."""
_MOST_ALIKE: Final = 8
"""Mappings with the same beginning that are remembered."""
_REMEMBERED: Final = 16 << 20
"""Characters that are remembered."""
_ENTRY_SIZE: Final = 500
"""Characters, about, that a remembered entry takes besides its text."""
_DEEPEST: Final = 100
"""Columns of indentation."""
_TOO_DEEP: Final = "\n" + " " * 200
"""Indentation in an entry, which would be deeper than `emitter` writes."""

_HEAD: Final = re.compile(rf"(?!(?:{fast.CONSTANTS}):)((?:[A-Za-z$]|__?(?=[A-Za-z]))[A-Za-z0-9_.$/-]{{0,120}}):(\n)?")
"""A plain key; the group is there if nothing follows on its line."""
_NEXT: Final = re.compile(r"(?:[ ]*(?:\#[^\n]*)?\n)*+([ ]*)")
"""Blank lines and comments, and the indentation of the line after them."""


class _UnusualError(Exception):
    """The document must be read as a whole."""


class _Entry(NamedTuple):
    """A short entry of a block mapping; ``text`` is how `emitter` writes it, without the indentation of its first line."""

    key: str
    value: Any
    text: str


class _Passage(NamedTuple):
    """A long entry by its place in a document, without a copy of the text; its ``pieces`` are those of `_Parser`."""

    document: str
    start: int
    end: int
    value: Any
    pieces: list[str]

    def is_at(self, at: int, text: str) -> bool:
        """Whether the same characters are at ``at`` in ``text``."""
        length = self.end - self.start
        last = min(length, _BEGINNING)
        is_likely = text[at + length - last : at + length] == self.document[self.end - last : self.end]
        return is_likely and text.startswith(self.document[self.start : self.end], at)


class BlockYaml:
    """`ports.YamlReader`; ``reader`` reads small and unusual documents. Safe to use from several threads.

    Documents of ``least`` characters are taken apart, and so are mappings in them of more than ``most_lines`` lines.
    """

    def __init__(self, reader: YamlReader, *, least: int = _LARGE, most_lines: int = _MOST_LINES) -> None:
        self._reader = reader
        self._least = least
        self._memory = _Memory(most_lines)

    def read(self, document: str) -> Any:
        examined = self._examined(document)
        return examined.value if examined else self._reader.read(document)

    def examine(self, document: str) -> YamlDocument:
        return self._examined(document) or self._reader.examine(document)

    def _examined(self, document: str) -> YamlDocument | None:
        """None if the other reader must read it."""
        if len(document) < self._least or not fast.is_text(document):
            return None
        try:
            return _Parser(document, self._memory).document()
        except _UnusualError:
            return None


class _Memory:
    """Entries that were read: short ones by columns and text, long ones by columns and beginning.

    Columns are that of the key and that of its text as it is written. That of the key decides what belongs to it.
    """

    def __init__(self, most_lines: int) -> None:
        self.most_lines = most_lines
        self.short: dict[tuple[int, int, str], _Entry] = {}
        self.long: dict[tuple[int, int, str], list[_Passage]] = {}
        self._size = 0

    def grow(self, size: int) -> None:
        """Count ``size`` characters more; forget everything before it is too much."""
        self._size += size
        if self._size > _REMEMBERED:
            self.short, self.long, self._size = {}, {}, 0


class _Parser:
    """One document. ``_pieces`` is what was read of it as `emitter` writes it, with sorted keys.

    In the methods, ``at`` is the place of a key or hyphen, ``column`` its indentation, and ``indent`` that of what is written.
    """

    def __init__(self, text: str, memory: _Memory) -> None:
        self._text = text
        self._memory = memory
        self._pieces: list[str] = []

    def document(self) -> YamlDocument:
        at, column = self._next(0)
        if column:
            raise _UnusualError
        self._memory.grow(len(self._text))
        value, end, starts = self._mapping(at, 0, 0)
        if self._next(end)[0] != len(self._text):
            raise _UnusualError
        spans = zip(sorted(value), starts, [*starts[1:], len(self._pieces)], strict=True)
        return YamlDocument(value=value, written={key: "".join(self._pieces[first:last]) for key, first, last in spans})

    def _mapping(self, at: int, column: int, indent: int) -> tuple[dict[str, Any], int, list[int]]:
        """The mapping whose first key is at ``at``, its end, and the first piece of each entry, by key."""
        if column > _DEEPEST or indent > _DEEPEST:
            raise _UnusualError
        members: dict[str, Any] = {}
        starts: list[int] = []
        while True:
            starts.append(len(self._pieces))
            key, value, end = self._entry(at, column, indent)
            if key in members:
                raise _UnusualError
            members[key] = value
            at, next_column = self._next(end)
            if at == len(self._text) or next_column < column:
                break
            if next_column > column or self._text.startswith("-", at):
                raise _UnusualError
            self._pieces.append(" " * indent)
        keys = list(members)
        return members, end, starts if keys == sorted(keys) else self._sorted(keys, starts, " " * indent)

    def _sorted(self, keys: list[str], starts: list[int], pad: str) -> list[int]:
        """Sort the last pieces, which are entries with ``pad`` between them, by their keys; the new first piece of each."""
        ends = [*(start - 1 for start in starts[1:]), len(self._pieces)]
        entries = [self._pieces[start:end] for _, start, end in sorted(zip(keys, starts, ends, strict=True))]
        del self._pieces[starts[0] :]
        sorted_starts: list[int] = []
        for entry in entries:
            self._pieces += [pad] if sorted_starts else []
            sorted_starts.append(len(self._pieces))
            self._pieces += entry
        return sorted_starts

    def _entry(self, at: int, column: int, indent: int) -> tuple[str, Any, int]:
        """The key and value of an entry, and its end."""
        head = _HEAD.match(self._text, at)
        has_nested = bool(head and head[2])
        end = _end_of(_few_lines(column, has_nested, self._memory.most_lines), self._text, at)
        if self._is_whole(end, column, has_nested=has_nested):
            return self._short(at, end, column, indent)
        if head and has_nested and self._is_mapping(head.end()):
            return self._long(at, head, column, indent)
        return self._short(at, _end_of(_all_lines(column, has_nested), self._text, at), column, indent)

    def _short(self, at: int, end: int, column: int, indent: int) -> tuple[str, Any, int]:
        """The key and value of an entry that is read as a whole, and its end."""
        source = self._text[at:end]
        short = self._memory.short
        entry = short.get((column, indent, source))
        if entry is None:
            alone = _indentation(column).sub("\n", source)
            entry = short.get((0, 0, alone)) or _read(alone)
            short[0, 0, alone] = entry
            entry = entry._replace(text=emitter.indented(entry.text, indent))
            short[column, indent, source] = entry
            self._memory.grow(2 * len(source) + _ENTRY_SIZE)
        self._pieces.append(entry.text)
        return entry.key, entry.value, end

    def _long(self, at: int, head: re.Match[str], column: int, indent: int) -> tuple[str, Any, int]:
        """The key and value of an entry that is taken apart, or was before, and its end."""
        key = head[1]
        passages = self._memory.long.setdefault((column, indent, self._text[at : at + _BEGINNING]), [])
        for passage in reversed(passages):
            end = at + passage.end - passage.start
            if passage.is_at(at, self._text) and self._is_whole(end, column, has_nested=True):
                self._pieces += passage.pieces
                return key, passage.value, end
        first = len(self._pieces)
        self._pieces.append(f"{line(key)}:\n")
        value, end = self._nested(head.end(), column, indent)
        del passages[:-_MOST_ALIKE]
        passages.append(_Passage(self._text, at, end, value, self._pieces[first:]))
        return key, value, end

    def _is_mapping(self, start: int) -> bool:
        """Whether a mapping or a sequence of mappings begins in the lines from ``start`` on."""
        at, _ = self._next(start)
        return bool(_HEAD.match(self._text, at + 2 if self._text.startswith("- ", at) else at))

    def _nested(self, start: int, column: int, indent: int) -> tuple[Any, int]:
        """What is below a key at ``column``, in the lines from ``start`` on, and its end."""
        at, nested = self._next(start)
        if self._text.startswith("- ", at) and nested >= column:
            return self._sequence(at, nested, indent)
        if nested <= column:
            raise _UnusualError
        self._pieces.append(" " * (indent + 2))
        value, end, _ = self._mapping(at, nested, indent + 2)
        return value, end

    def _sequence(self, at: int, column: int, indent: int) -> tuple[list[Any], int]:
        """A sequence of mappings, and its end."""
        items: list[Any] = []
        while True:
            if not (self._text.startswith("- ", at) and _HEAD.match(self._text, at + 2)):
                raise _UnusualError
            self._pieces.append(" " * indent + "- ")
            value, end, _ = self._mapping(at + 2, column + 2, indent + 2)
            items.append(value)
            at, next_column = self._next(end)
            if next_column != column or not self._text.startswith("-", at):
                return items, end

    def _is_whole(self, end: int, column: int, *, has_nested: bool) -> bool:
        """Whether an entry at ``column`` that goes to ``end`` goes no further: in a literal, blanks and ``#`` are text."""
        if _next_line(column, has_nested).match(self._text, end):
            return False
        at, next_column = self._next(end)
        is_item = self._text.startswith("-", at)
        return at == len(self._text) or next_column < column or (next_column == column and not is_item)

    def _next(self, at: int) -> tuple[int, int]:
        """The place of the first text in the lines from ``at`` on, and its column."""
        match = _NEXT.match(self._text, at)
        assert match
        return match.end(), match.end() - match.start(1)


def _read(source: str) -> _Entry:
    """Read an entry that stands alone.

    Raises:
        _UnusualError: if the fast reader does not, or it is nested deep.
    """
    document = fast.value_of(source)
    if not document or len(document) != 1:
        raise _UnusualError
    try:
        ordered = orjson.loads(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))
        text = emitter.document(ordered)
    except (orjson.JSONEncodeError, ManifestError) as error:
        raise _UnusualError from error
    if _TOO_DEEP in text:
        raise _UnusualError
    ((key, value),) = ordered.items()
    return _Entry(key, value, text)


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    if match is None:
        raise _UnusualError
    return match.end()


@cache
def _few_lines(column: int, has_nested: bool, most: int) -> re.Pattern[str]:  # noqa: FBT001 - a cached function
    """The first line of an entry, and up to ``most`` that may belong to it."""
    return re.compile(rf"[^\n]*\n(?:{_line(column, has_nested)}\n){{0,{most}}}+")


@cache
def _all_lines(column: int, has_nested: bool) -> re.Pattern[str]:  # noqa: FBT001 - a cached function
    """The first line of an entry, and all that may belong to it."""
    return re.compile(rf"[^\n]*\n(?:{_line(column, has_nested)}\n)*+")


@cache
def _next_line(column: int, has_nested: bool) -> re.Pattern[str]:  # noqa: FBT001 - a cached function
    """A line that may belong to an entry."""
    return re.compile(rf"{_line(column, has_nested)}\n")


def _line(column: int, has_nested: bool) -> str:  # noqa: FBT001 - as its callers
    """A line below a key at ``column``: blank or indented deeper; an item of a sequence may be at the same column."""
    items = rf"|[ ]{{{column}}}-[ ][^\n]*" if has_nested else ""
    return rf"(?:[ ]{{{column + 1}}}[^\n]*{items}|[ ]*)"


@cache
def _indentation(column: int) -> re.Pattern[str]:
    """A line break and the indentation of a line below a key at ``column``; all of a shorter line, which is as good as empty."""
    return re.compile(rf"\n(?:[ ]{{{column}}}|[ ]*(?=\n))")
