"""YAML text as positioned values, read as Kubernetes reads it.

Stricter than Kubernetes where a mistake would stay unnoticed: a duplicate key and a second document are errors.
Anchors, aliases and merge keys work as in Go's parser; what they may copy, and the nesting, is limited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import yaml

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.yaml import scalar_reader, syntax_errors
from cluster_forge.yaml.positioned import Path, Positioned

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DEEPEST: Final = 100
_MOST_COPIES: Final = 100_000
"""Values that aliases may repeat in one file: enough for any description, too few for a YAML bomb."""

_LARGEST: Final = 5 << 20
"""Bytes of a file: Helm's limit for a file in a chart (``MaxDecompressedFileSize``)."""

_MOST_VALUES: Final = 50_000
"""Values in one file, including those that aliases repeat."""

_MOST_ERRORS: Final = 100
"""So many errors have one cause."""

_MERGE: Final = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class PositionedDocument:
    """A file's value, plain (``value``) and positioned (``root``)."""

    file: str
    value: Any
    root: Positioned

    def line(self, path: Path) -> int:
        """The line of the part at ``path``, or of the nearest enclosing part that exists."""
        return self.root.at(path).line

    def where(self, path: Path = ()) -> str:
        """The same as ``file:line``."""
        return self.root.at(path).where

    def text(self, path: Path) -> str:
        """A scalar as it is written: ``1.10`` where the value is 1.1."""
        part = self.root.at(path)
        return part.text or str(part.content)


def read(text: bytes, file: str) -> PositionedDocument:
    """Read a file that holds one document; an empty one has the value None.

    Raises:
        DescriptionError, ExceptionGroup: with ``file:line``, if it is not one well-formed document.
    """
    documents = read_all(text, file)
    if len(documents) > 1:
        raise DescriptionError(
            "a second YAML document starts here; the file must have only one",
            where=documents[1].where(),
            fix="merge both into one document, without '---' lines",
        )
    return documents[0]


def read_all(text: bytes, file: str) -> list[PositionedDocument]:
    """Read every document that is not empty; a single empty document if all of them are.

    Raises:
        DescriptionError, ExceptionGroup: as `read` does.
    """
    if len(text) > _LARGEST:
        raise DescriptionError(
            f"the file is too large: {len(text):,} bytes (limit {_LARGEST:,})",
            where=file,
            fix="check that it is the right file; put large data into a chart or into manifests",
        )
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DescriptionError(
            "the file is not UTF-8 text",
            where=_at(file, text, error.start),
            fix="save the file as UTF-8",
        ) from error
    builder = _Builder(decoded, file)
    try:
        documents = builder.documents()
    except yaml.YAMLError as error:
        raise syntax_errors.explain(error, decoded, file) from error
    raise_all(builder.errors)
    full = [document for document in documents if document.content is not None]
    return [PositionedDocument(file, document.plain, document) for document in full or [Positioned(None, file, 1)]]


def _at(file: str, text: bytes, position: int) -> str:
    line = text[:position].count(b"\n") + 1
    return f"{file}:{line}"


class _Builder:
    """Turns the parser's events into positioned values. Errors after which reading can go on are collected."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._loader = _LOADER(text)
        self._anchors: dict[str, tuple[Positioned, int]] = {}
        self._open: set[str] = set()
        self._count = 0
        self._copied = 0
        self.errors: list[ForgeError] = []

    def documents(self) -> list[Positioned]:
        documents: list[Positioned] = []
        while (event := self._loader.get_event()) is not None:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                documents.append(self._value(self._loader.get_event(), 0))
        return documents

    def _value(self, event: Any, depth: int) -> Positioned:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > _DEEPEST:
            raise self._wrong(event, f"nesting too deep (limit {_DEEPEST})")
        start = self._count
        self._count += 1
        if self._count > _MOST_VALUES:
            raise self._wrong(event, f"the file has too many values (limit {_MOST_VALUES:,})")
        if event.anchor:
            self._open.add(event.anchor)
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(event, depth)
        else:
            value = self._mapping(event, depth)
        if event.anchor:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = (value, self._count - start)
        return value

    def _scalar(self, event: Any) -> Positioned:
        line = event.start_mark.line + 1
        try:
            value = scalar_reader.resolve(event.value, plain=event.implicit[0], tag=event.tag)
        except ValueError as error:
            self._add(self._wrong(event, str(error), fix="put it in quotes if it is text"))
            value = event.value
        return Positioned(value, self._file, line, "" if isinstance(value, str) else event.value)

    def _sequence(self, event: Any, depth: int) -> Positioned:
        items: list[Positioned] = []
        while not isinstance(inner := self._loader.get_event(), yaml.SequenceEndEvent):
            items.append(self._value(inner, depth + 1))
        return Positioned(tuple(items), self._file, event.start_mark.line + 1)

    def _mapping(self, event: Any, depth: int) -> Positioned:
        members: dict[str, Positioned] = {}
        lines: dict[str, int] = {}
        while not isinstance(inner := self._loader.get_event(), yaml.MappingEndEvent):
            is_merge = _is_merge(inner)
            name = self._key(inner, depth)
            line = inner.start_mark.line + 1
            value = self._value(self._loader.get_event(), depth + 1)
            if is_merge:
                members.update(self._merged(value, inner))
                continue
            if name in lines:
                self._add(
                    self._wrong(
                        inner,
                        f"duplicate key {name!r}, first used in line {lines[name]}",
                        fix="remove one of the two; if a new list item starts here, put '- ' before its first key",
                    )
                )
                continue
            lines[name] = line
            members[name] = Positioned(value.content, value.file, line, value.text)
        return Positioned(MappingProxyType(members), self._file, event.start_mark.line + 1)

    def _key(self, event: Any, depth: int) -> str:
        value = self._value(event, depth + 1)
        if isinstance(value.content, Mapping | tuple):
            raise self._wrong(
                event, "a key must be text, not a list or a mapping", fix="put it in quotes: '{{ name }}'"
            )
        try:
            return scalar_reader.as_key(value.content)
        except ValueError as error:
            self._add(self._wrong(event, str(error), fix="put it in quotes if it is text"))
            return ""

    def _merged(self, value: Positioned, event: Any) -> dict[str, Positioned]:
        """The members of ``<<``. As in Go's parser they replace the keys before it; of several mappings, the first wins."""
        sources = value.items if isinstance(value.content, tuple) else (value,)
        merged: dict[str, Positioned] = {}
        for source in sources:
            if not isinstance(source.content, Mapping):
                self._add(self._wrong(event, "'<<' must be a mapping or a list of mappings"))
                continue
            for key, member in source.mapping.items():
                merged.setdefault(key, member)
        return merged

    def _alias(self, event: yaml.AliasEvent) -> Positioned:
        name = event.anchor
        if name in self._open:
            raise self._wrong(event, f"the alias *{name} is inside its own anchor")
        if name not in self._anchors:
            raise self._wrong(
                event,
                f"unknown alias *{name}: there is no anchor &{name} before it",
                fix=f"if it is text, put it in quotes: '*{name}'",
            )
        value, size = self._anchors[name]
        self._count += size
        self._copied += size
        if self._copied > _MOST_COPIES:
            raise self._wrong(event, f"aliases repeat too many values (limit {_MOST_COPIES:,})")
        return value

    def _add(self, error: ForgeError) -> None:
        """Add an error.

        Raises:
            ExceptionGroup: all errors, when there are too many.
        """
        self.errors.append(error)
        if len(self.errors) >= _MOST_ERRORS:
            raise_all(self.errors)

    def _wrong(self, event: Any, message: str, *, fix: str | None = None) -> DescriptionError:
        return DescriptionError(message, where=f"{self._file}:{event.start_mark.line + 1}", fix=fix)


def _is_merge(event: Any) -> bool:
    return (
        isinstance(event, yaml.ScalarEvent)
        and event.value == "<<"
        and (event.tag == _MERGE or (event.tag is None and event.implicit[0]))
    )
