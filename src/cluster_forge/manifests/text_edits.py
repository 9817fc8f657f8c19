"""The text of an object with other values: what does not change stays as it is written, comments included.

Only lines of fields and list entries that differ are written again, as the `emitter` writes them. That works for block style, in
which objects are written; where a text cannot be edited so (anchors, tags, complex keys), there is no result. The caller
reads the result again: a text is never believed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
import yaml

from cluster_forge.manifests import emitter
from cluster_forge.manifests.manifest import Body

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


_MARK: Final = re.compile(r"(?:^|[\s\[{,])[&*!]")
"""Where an anchor, an alias or a tag may be; so may be a part of a text."""


class _Unsupported(Exception):  # noqa: N818 - no error: the caller writes the whole object
    """The text cannot be edited."""


class _Splice(NamedTuple):
    """Characters ``start`` to ``end`` become ``text``. Of several at one place, those of inner values come first."""

    start: int
    end: int
    text: str


def edited(text: str, before: Body, after: Body) -> str | None:
    """``text``, one document with the value ``before``, with the value ``after``; None where it cannot be edited.

    Line breaks become line feeds.
    """
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    plain += "" if plain.endswith("\n") else "\n"
    try:
        node = _composed(plain)
        splices = sorted(_Editor(plain).between(node, before, after), key=lambda splice: (splice.start, splice.end))
    except (_Unsupported, yaml.YAMLError, RecursionError):
        return None
    pieces: list[str] = []
    at = 0
    for start, end, replacement in splices:
        pieces += (plain[at:start], replacement)
        at = end
    return "".join((*pieces, plain[at:]))


def _composed(text: str) -> yaml.Node:
    """The document's node; only text without anchors and tags has one node for each place."""
    if _MARK.search(text) and any(
        getattr(event, "anchor", None) or getattr(event, "tag", None) for event in yaml.parse(text, Loader=_LOADER)
    ):
        raise _Unsupported
    node = yaml.compose(text, Loader=_LOADER)
    if node is None:
        raise _Unsupported
    return node


@dataclass(frozen=True, slots=True)
class _Editor:
    """Finds what to replace in ``text``."""

    text: str

    def between(self, node: yaml.Node, before: Any, after: Any) -> Iterator[_Splice]:
        """The splices for a value that differs, unless it must be written as a whole.

        Raises:
            _Unsupported: then it must.
        """
        if isinstance(node, yaml.MappingNode) and isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self._mapping(node, before, after)
        elif isinstance(node, yaml.SequenceNode) and isinstance(before, list) and isinstance(after, list):
            yield from self._sequence(node, before, after)
        else:
            raise _Unsupported

    def _mapping(self, node: yaml.MappingNode, before: Body, after: Body) -> Iterator[_Splice]:
        members = {_name(member): member for member in node.value}
        if node.flow_style or not after or not members or members.keys() != before.keys():
            raise _Unsupported
        first = next(iter(members))
        if first not in after and not self._begins_line(members[first][0]):
            raise _Unsupported
        column = node.start_mark.column
        for key, (name, value) in members.items():
            if key not in after:
                yield _Splice(self._line_start(name), self._end(value), "")
            elif not _same(before[key], after[key]):
                yield from self._member(key, name, value, before[key], after[key])
        for key in sorted(after.keys() - members.keys()):
            earlier = [name for name in members if name in after and name < key] or [first]
            place = self._end(members[earlier[-1]][1])
            yield _Splice(place, place, _block({key: after[key]}, column))

    def _member(self, key: str, name: yaml.Node, value: yaml.Node, before: Any, after: Any) -> Iterator[_Splice]:
        try:
            yield from list(self.between(value, before, after))
        except _Unsupported:
            if _is_inline(value) and not _is_block(after):
                written = _block({key: after}, 0)
                yield _Splice(value.start_mark.index, value.end_mark.index, written[len(_block({key: 0}, 0)) - 2 : -1])
            else:
                start = name.start_mark.index
                text = _block({key: after}, name.start_mark.column).lstrip(" ")
                yield _Splice(start, self._end(value), text)

    def _sequence(self, node: yaml.SequenceNode, before: list[Any], after: list[Any]) -> Iterator[_Splice]:
        if node.flow_style or not after or len(before) != len(node.value):
            raise _Unsupported
        column = self._dash(node.value[0])
        for kind, i1, i2, j1, j2 in _aligned(before, after):
            if kind == "equal":
                for item, old, new in zip(node.value[i1:i2], before[i1:i2], after[j1:j2], strict=True):
                    if not _same(old, new):
                        yield from self._item(item, old, new, column)
                continue
            for item in node.value[i1:i2]:
                yield _Splice(self._item_start(item, column), self._end(item), "")
            place = self._end(node.value[i2 - 1]) if i2 else self._item_start(node.value[0], column)
            yield _Splice(place, place, "".join(_block([item], column) for item in after[j1:j2]))

    def _item(self, item: yaml.Node, before: Any, after: Any, column: int) -> Iterator[_Splice]:
        try:
            yield from list(self.between(item, before, after))
        except _Unsupported:
            yield _Splice(self._item_start(item, column), self._end(item), _block([after], column))

    def _dash(self, item: yaml.Node) -> int:
        """The column of the dash before an item."""
        start = self._line_start(item)
        before = self.text[start : item.start_mark.index]
        if before.strip() != "-":
            raise _Unsupported
        return before.index("-")

    def _item_start(self, item: yaml.Node, column: int) -> int:
        if self._dash(item) != column:
            raise _Unsupported
        return self._line_start(item)

    def _line_start(self, node: yaml.Node) -> int:
        return int(node.start_mark.index) - int(node.start_mark.column)

    def _begins_line(self, node: yaml.Node) -> bool:
        return not self.text[self._line_start(node) : node.start_mark.index].strip()

    def _end(self, node: yaml.Node) -> int:
        """The end of the last line with something of the value."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        end = int(node.end_mark.index)
        if end and self.text[end - 1] == "\n":
            return end
        return self.text.index("\n", end) + 1


def _name(member: tuple[yaml.Node, yaml.Node]) -> str:
    """The key of a member as it is written."""
    if not isinstance(member[0], yaml.ScalarNode):
        raise _Unsupported
    return str(member[0].value)


def _is_inline(node: yaml.Node) -> bool:
    """Whether the value stands in one line, so that it can be replaced there."""
    is_block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    is_empty = node.start_mark.index == node.end_mark.index
    return not is_block and not is_empty and node.start_mark.line == node.end_mark.line


def _is_block(value: Any) -> bool:
    """Whether the emitter writes the value in more than one line."""
    return (bool(value) and isinstance(value, Mapping | list)) or (isinstance(value, str) and "\n" in value)


def _block(value: Any, column: int) -> str:
    """A mapping, or a list, as the emitter writes it in this column."""
    text = emitter.document({"a": value}).removeprefix("a:\n") if isinstance(value, list) else emitter.document(value)
    return " " * column + emitter.indented(text, column)


def _aligned(before: Sequence[Any], after: Sequence[Any]) -> Sequence[tuple[str, int, int, int, int]]:
    """Which entries of the two lists are the same ones: those with the same name, or else the same value."""
    former, present = _names(before), _names(after)
    if former is None or present is None:
        former, present = ([_canonical(entry) for entry in entries] for entries in (before, after))
    return difflib.SequenceMatcher(None, former, present, autojunk=False).get_opcodes()


def _names(entries: Sequence[Any]) -> Sequence[str | bytes] | None:
    """The names of the entries; None unless each has one of its own."""
    names = [entry.get("name") if isinstance(entry, Mapping) else None for entry in entries]
    texts = [name for name in names if isinstance(name, str)]
    return texts if len(set(texts)) == len(entries) else None


def _same(one: Any, other: Any) -> bool:
    return one is other or _canonical(one) == _canonical(other)


def _canonical(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # integers above 64 bits
        return repr(value).encode()
