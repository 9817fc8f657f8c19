"""``index.yaml`` of a chart repository (Helm, "The Chart Repository Guide").

The index of a large repository has 10 MB. Event by event, that takes 0.1 s per MB; as a tree, 0.6 s per MB, and deep
nesting would crash the process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import yaml

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_DEEPEST: Final = 100
"""libyaml's time grows with the square of the depth."""
_MOST_EVENTS: Final = 1_000_000
"""About 20 MB of an index, and a second or two."""

Events = Iterator[yaml.Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version of a chart: the addresses of its archive, and its digest if the index has one."""

    version: str
    urls: tuple[str, ...]
    digest: Digest | None


Index = Mapping[str, tuple[Release, ...]]


def read(content: bytes, address: str, *, most: int = _MOST_EVENTS) -> Index:
    """The releases of every chart by its name, in the order of the file. Entries without a version are left out.

    ``most`` is the limit of keys, values and ends of lists and mappings.

    Raises:
        FetchError: if it is not an index.
    """
    if content.lstrip()[:1] == b"<":
        raise FetchError(
            f"{address} is not a chart index but a web page",
            fix="use the address that `helm repo add` takes; if it is right, a login page or a proxy may have answered",
        )
    charts: dict[str, tuple[Release, ...]] = {}
    has_entries = False
    try:
        events = _events(content, most)
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


def _events(content: bytes, most: int) -> Events:
    for number, event in enumerate(yaml.parse(content, Loader=_LOADER)):
        if number > most:
            raise yaml.YAMLError(f"too many values (limit {most:,})")
        yield event


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
        entry = {name: _value(events, value) for name, value in _members(events)}
        version, urls, digest = entry.get("version"), entry.get("urls"), entry.get("digest")
        if isinstance(version, str) and version:
            yield Release(
                version=version,
                urls=urls if isinstance(urls, tuple) else (),
                digest=_digest(digest) if isinstance(digest, str) else None,
            )


def _value(events: Events, first: yaml.Event) -> str | tuple[str, ...] | None:
    """Consume a value and return it: a text, or the texts directly in a list. Everything else is None."""
    if isinstance(first, yaml.ScalarEvent):
        return str(first.value)
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
