"""``index.yaml`` of a chart repository (Helm, "The Chart Repository Guide").

The index of a large repository has 10 MB, of an old one 40. Event by event, that takes 0.1 s per MB; as a tree, 0.6 s per
MB, and deep nesting would crash the process. Of a large one only the charts that are asked for are read (`index_entries`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import yaml

from cluster_forge.adapters.sources import index_entries
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError
from cluster_forge.ports.sources import ChartRelease

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MERGE: Final = "<<"
_NULL: Final = ("", "~", "null", "Null", "NULL")
_DEEPEST: Final = 100
"""libyaml's time grows with the square of the depth."""
_MOST_EVENTS: Final = 3_200_000
"""About 45 MB of an index, and a few seconds."""
_LARGE: Final = 1 << 20
"""Bytes of an index from which on charts are looked for by their lines; a smaller one is read, and so checked, as a whole."""
_MOST_ADDRESSES: Final = 10
"""Of an archive: each may take as long as a request may take."""
_LONGEST: Final = 250
"""Characters of a version, which is part of messages and of the lock, and of what else is kept of it."""
_LONGEST_ADDRESS: Final = 8192

Events = Iterator[yaml.Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(ChartRelease):
    """One version of a chart, the addresses of its archive, and its digest if the index has one."""

    urls: tuple[str, ...]
    digest: Digest | None


Index = Mapping[str, tuple[Release, ...]]


def read(content: bytes, address: str, *, most: int = _MOST_EVENTS, large: int = _LARGE) -> Index:
    """The releases of every chart by its name, in the order of the file. Entries without a version, or with one that is
    none for its length, are left out, and so are all but the first ten addresses of an archive.

    Aliases are read as the values that they stand for. ``most`` is the limit of keys, values and ends of lists and mappings.
    One of ``large`` bytes or more is read in part, where it can be.

    Raises:
        FetchError: if it is not an index.
    """
    if content.lstrip()[:1] == b"<":
        raise FetchError(
            f"{address} is not a chart index but a web page",
            fix="use the address that `helm repo add` takes; if it is right, a login page or a proxy may have answered",
        )
    lines = index_entries.find(content) if len(content) >= large else None
    return _LargeIndex(lines, content, address, most) if lines else _read_all(content, address, most)


def _read_all(content: bytes, address: str, most: int) -> Index:
    charts: dict[str, tuple[Release, ...]] = {}
    has_entries = False
    try:
        events: Events = _Events(content, most)
        for name, value in _top(events):
            if name == "entries" and isinstance(value, yaml.MappingStartEvent):
                has_entries = True
                for chart, releases in _members(events):
                    charts[chart] = tuple(_releases(events, releases))
            else:
                _value(events, value)
    except yaml.YAMLError as error:
        raise FetchError(
            f"{address} is not a chart index: {' '.join(str(error).split())[:200]}",
            fix="check that `repository` is the address of a chart repository, and what it answers",
        ) from error
    if not has_entries:
        raise FetchError(
            f"{address} is not a chart index: it has no `entries`",
            fix="check that `repository` is the address of a chart repository, and what it answers",
        )
    return charts


class _LargeIndex(Mapping[str, tuple[Release, ...]]):
    """An index of which each chart is read when it is asked for, from its own ``lines``.

    Where these do not stand alone (they refer to an anchor before them), the whole index is read instead.
    """

    def __init__(self, lines: Mapping[str, bytes], content: bytes, address: str, most: int) -> None:
        self._lines = lines
        self._content = content
        self._address = address
        self._most = most
        self._known: dict[str, tuple[Release, ...]] = {}

    def __getitem__(self, name: str) -> tuple[Release, ...]:
        if name not in self._known:
            self._known.update(self._read(name))
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def _read(self, name: str) -> Index:
        with contextlib.suppress(FetchError):
            alone = _read_all(b"entries:\n" + self._lines[name], self._address, self._most)
            if alone.keys() == {name}:
                return alone
        return _read_all(self._content, self._address, self._most)


class _Events:
    """The events of a text, with the value of its anchor in the place of every alias.

    The events of an anchored value are kept, once for each anchor that it is in. ``most`` bounds all of these together,
    and those by aliases too: aliases of aliases could repeat a value without end.
    """

    def __init__(self, content: bytes, most: int) -> None:
        self._parser = yaml.parse(content, Loader=_LOADER)
        self._most = most
        self._anchors: dict[str, tuple[yaml.Event, ...]] = {}
        self._open: list[_Anchor] = []
        self._repeated: list[Iterator[yaml.Event]] = []
        self._count = 0

    def __iter__(self) -> _Events:
        return self

    def __next__(self) -> yaml.Event:
        event = self._next_repeated() or next(self._parser)
        if isinstance(event, yaml.AliasEvent):
            name = str(event.anchor)
            if name not in self._anchors:
                raise yaml.YAMLError(f"the alias *{name} has no anchor before it")
            self._repeated.append(iter(self._anchors[name]))
            return next(self)
        self._count += 1 + len(self._open)
        if self._count > self._most:
            raise yaml.YAMLError(f"too many values (limit {self._most:,})")
        self._keep(event)
        return event

    def _next_repeated(self) -> yaml.Event | None:
        while self._repeated:
            event = next(self._repeated[-1], None)
            if event is not None:
                return event
            self._repeated.pop()
        return None

    def _keep(self, event: yaml.Event) -> None:
        """Keep the event for the anchors whose value it belongs to."""
        anchor = getattr(event, "anchor", None)
        if anchor and not self._repeated:
            self._open.append(_Anchor(str(anchor)))
        starts = isinstance(event, yaml.CollectionStartEvent)
        ends = isinstance(event, yaml.CollectionEndEvent)
        for open_anchor in self._open:
            open_anchor.events.append(event)
            open_anchor.depth += starts - ends
        while self._open and self._open[-1].depth == 0:
            done = self._open.pop()
            self._anchors[done.name] = tuple(done.events)


@dataclass(slots=True)
class _Anchor:
    """A value with an anchor that is being read."""

    name: str
    events: list[yaml.Event] = field(default_factory=list)
    depth: int = 0


def _top(events: Events) -> Iterator[tuple[str, yaml.Event]]:
    """The members of the first document, if it is a mapping."""
    for event in events:
        if isinstance(event, yaml.MappingStartEvent):
            yield from _members(events)
            return
        if isinstance(event, yaml.NodeEvent):
            return


def _members(events: Events) -> Iterator[tuple[str, yaml.Event]]:
    """A mapping's keys, each with the first event of its value; the caller must consume the value."""
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _value(events, event)
        yield key if isinstance(key, str) else "", next(events)


def _releases(events: Events, first: yaml.Event) -> Iterator[Release]:
    if not isinstance(first, yaml.SequenceStartEvent):
        _value(events, first)
        return
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        if not isinstance(event, yaml.MappingStartEvent):
            _value(events, event)
            continue
        entry = _fields(events)
        version, urls, digest = entry.get("version"), entry.get("urls"), entry.get("digest")
        if isinstance(version, str) and 0 < len(version) <= _LONGEST:
            addresses = urls if isinstance(urls, tuple) else ()
            yield Release(
                version=version,
                created=_short(entry.get("created")),
                app_version=_short(entry.get("appVersion")),
                kube_version=_short(entry.get("kubeVersion")),
                deprecated=_short(entry.get("deprecated")).lower() == "true",
                urls=tuple(url for url in addresses if len(url) <= _LONGEST_ADDRESS)[:_MOST_ADDRESSES],
                digest=_digest(digest) if isinstance(digest, str) else None,
            )


def _short(value: str | tuple[str, ...] | None) -> str:
    """A text of an entry; empty if it is none, or too long to be what it should be."""
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""


def _fields(events: Events, depth: int = 1) -> dict[str, str | tuple[str, ...] | None]:
    """The members of an entry; those that ``<<`` merges into it have the lower precedence."""
    fields: dict[str, str | tuple[str, ...] | None] = {}
    merged: dict[str, str | tuple[str, ...] | None] = {}
    for name, value in _members(events):
        if name == _MERGE and isinstance(value, yaml.MappingStartEvent):
            if depth == _DEEPEST:
                raise yaml.YAMLError(f"nesting too deep (limit {_DEEPEST})")
            merged |= _fields(events, depth + 1)
        else:
            fields[name] = _value(events, value)
    return {**merged, **fields}


def _value(events: Events, first: yaml.Event) -> str | tuple[str, ...] | None:
    """Consume a value and return it: a text, or the texts directly in a list. Everything else is None, null too."""
    if isinstance(first, yaml.ScalarEvent):
        return None if first.implicit[0] and first.value in _NULL else str(first.value)
    if not isinstance(first, yaml.CollectionStartEvent):
        return None
    texts: list[str] = []
    depth = 1
    while depth:
        event = next(events)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise yaml.YAMLError(f"nesting too deep (limit {_DEEPEST})")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif depth == 1 and isinstance(event, yaml.ScalarEvent):
            texts.append(str(event.value))
    return tuple(texts) if isinstance(first, yaml.SequenceStartEvent) else None


def _digest(text: str) -> Digest | None:
    try:
        return Digest.parse(text)
    except ValueError:
        return None
