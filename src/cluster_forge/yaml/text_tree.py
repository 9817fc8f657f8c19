"""Where each part of a YAML text is written: the characters of members and items, as the parser's events say."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from cluster_forge.yaml.positioned import Path

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A member of a mapping, an item of a list, or the document.

    ``begin`` is where it begins (the key, or the dash of an item), ``start`` where its value does, ``end`` where that ends:
    indexes of characters. ``line`` is that of ``start``, from 1. ``scalar`` is its text; None for a collection and an alias.
    ``anchors`` and ``aliases`` are the names that the part itself sets and uses, without those of its ``children``.
    """

    path: Path
    begin: int
    start: int
    end: int
    line: int
    scalar: str | None = None
    is_flow: bool = False
    is_list: bool = False
    children: tuple[Part, ...] = ()
    anchors: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()

    def child(self, key: str) -> Part | None:
        """The member with this key."""
        return next((part for part in self.children if part.path[-1] == key), None)

    def all(self) -> Iterator[Part]:
        """The part and everything inside it."""
        yield self
        for child in self.children:
            yield from child.all()


def of(text: str) -> Part | None:
    """The parts of the one document of ``text``, which has no byte order mark; None if it has no value.

    Raises:
        yaml.YAMLError: if it is not well-formed.
    """
    tokens: Iterator[Any] = yaml.scan(text, Loader=_LOADER)
    dashes = [token.start_mark.index for token in tokens if isinstance(token, yaml.BlockEntryToken)]
    reader = _Reader(text, dashes)
    for event in reader.events:
        if isinstance(event, yaml.DocumentStartEvent):
            first = next(reader.events)
            return reader.part(first, (), first.start_mark.index)
    return None


class _Reader:
    def __init__(self, text: str, dashes: list[int]) -> None:
        self._text = text
        self._dashes = dashes
        self._closing: Any = None
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)

    def part(self, event: Any, path: Path, begin: int, *, key: Any = None) -> Part:
        """The part whose value begins with ``event``; ``key`` is the event of its key."""
        start = event.start_mark.index
        named = [one for one in (key, event) if one is not None and one.anchor]
        anchors = frozenset(one.anchor for one in named if not isinstance(one, yaml.AliasEvent))
        aliases = frozenset(str(one.anchor) for one in named if isinstance(one, yaml.AliasEvent))
        children: tuple[Part, ...] = ()
        is_flow = False
        if isinstance(event, yaml.CollectionStartEvent):
            is_flow = bool(event.flow_style)
            is_list = isinstance(event, yaml.SequenceStartEvent)
            children = tuple(self._items(path, is_flow=is_flow) if is_list else self._members(path))
            last = self._closing.end_mark.index if is_flow else start
            end = max([last, *(child.end for child in children)])
        else:
            end = self._end_of_scalar(event, key)
        return Part(
            path=path,
            begin=begin,
            start=start,
            end=end,
            line=event.start_mark.line + 1,
            scalar=event.value if isinstance(event, yaml.ScalarEvent) else None,
            is_flow=is_flow,
            is_list=isinstance(event, yaml.SequenceStartEvent),
            children=children,
            anchors=anchors,
            aliases=aliases,
        )

    def _items(self, path: Path, *, is_flow: bool) -> Iterator[Part]:
        number = 0
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            start = event.start_mark.index
            begin = start if is_flow else self._dashes[bisect_left(self._dashes, start) - 1]
            yield self.part(event, (*path, number), begin)
            number += 1
        self._closing = event

    def _members(self, path: Path) -> Iterator[Part]:
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            begin = event.start_mark.index
            if not isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
                raise yaml.YAMLError("a key that is a list or a mapping")
            name = event.value if isinstance(event, yaml.ScalarEvent) else f"*{event.anchor}"
            yield self.part(next(self.events), (*path, name), begin, key=event)
        self._closing = event

    def _end_of_scalar(self, event: Any, key: Any) -> int:
        """The end of the last character; what the parser counts to a block scalar or to nothing may end lines later."""
        start, end = int(event.start_mark.index), int(event.end_mark.index)
        if key is not None and not self._text[key.end_mark.index : end].strip():
            return int(key.end_mark.index)
        return start + len(self._text[start:end].rstrip())
