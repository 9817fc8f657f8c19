"""YAML as Kubernetes reads it, in Python: libyaml's events with Go's rules for scalars.

Slower than Go's own reader, but exact where that rounds, and available on every platform.
"""

from __future__ import annotations

from typing import Any

import yaml

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.ports.rendering import YamlDocument
from cluster_forge.yaml import scalar_reader, syntax_hints
from cluster_forge.yaml.repeated_keys import repeated_keys

_LOADER: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MERGE = "tag:yaml.org,2002:merge"
_DEEPEST = 300
"""Levels of nesting."""
_MOST_COPIES = 1_000_000
"""Values that the aliases of one document may repeat."""


class PurePythonYaml:
    """`ports.YamlReader`. The last value of a repeated key wins, as in Go's JSON."""

    def read(self, document: str) -> Any:
        try:
            loader = _LOADER(document)
        except UnicodeEncodeError as error:
            raise ManifestError(f"not Unicode text: {error}") from error
        except yaml.YAMLError as error:
            raise _unreadable(error, document) from error
        try:
            return _Document(loader).value()
        except yaml.YAMLError as error:
            raise _unreadable(error, document) from error
        except ValueError as error:
            raise ManifestError(f"not YAML as Kubernetes reads it: {error}", fix="quote the value") from error
        finally:
            loader.dispose()

    def examine(self, document: str) -> YamlDocument:
        return YamlDocument(value=self.read(document), repeated_keys=repeated_keys(document))


class _Document:
    """The value of one document, built from the parser's events: deep nesting must not exhaust the parser's stack."""

    def __init__(self, loader: Any) -> None:
        self._next = loader.get_event
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open: set[str] = set()
        self._count = 0
        self._copied = 0

    def value(self) -> Any:
        """The document's value; None if it is empty.

        Raises:
            ManifestError: if a second document follows.
        """
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self._of(self._next(), 0)
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise ManifestError("more than one YAML document", fix="separate documents by '---'")
        return value

    def _of(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > _DEEPEST:
            raise ManifestError(f"not YAML as Kubernetes reads it: nesting too deep (limit {_DEEPEST})")
        before = self._count
        self._count += 1
        if event.anchor:
            self._open.add(event.anchor)
        if isinstance(event, yaml.ScalarEvent):
            value: Any = scalar_reader.resolve(event.value, plain=event.implicit[0], tag=event.tag)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(depth + 1)
        else:
            value = self._mapping(depth + 1)
        if event.anchor:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = value, self._count - before
        return value

    def _sequence(self, depth: int) -> list[Any]:
        items = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._of(event, depth))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if (
                isinstance(event, yaml.ScalarEvent)
                and event.value == "<<"
                and (event.implicit[0] or event.tag == _MERGE)
            ):
                members.update(_merged(self._of(self._next(), depth)))
                continue
            line = event.start_mark.line + 1
            key = self._of(event, depth)
            if isinstance(key, dict | list):
                raise ManifestError(
                    f"not YAML as Kubernetes reads it: a key that is a list or a mapping, on line {line}"
                )
            members[scalar_reader.as_key(key)] = self._of(self._next(), depth)
        return members

    def _alias(self, event: yaml.AliasEvent) -> Any:
        name = event.anchor
        if name in self._open:
            raise ManifestError(f"not YAML: the alias *{name} is inside its own anchor")
        if name not in self._anchors:
            raise ManifestError(f"not YAML: unknown anchor {name!r} referenced")
        value, size = self._anchors[name]
        self._count += size
        self._copied += size
        if self._copied > _MOST_COPIES:
            raise ManifestError(f"not YAML as Kubernetes reads it: too many values by aliases (limit {_MOST_COPIES:,})")
        return value


def _merged(value: Any) -> dict[str, Any]:
    """The members that ``<<`` merges; the first of several mappings wins."""
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise ManifestError("not YAML as Kubernetes reads it: '<<' must be a mapping or a list of mappings")
    return {key: member for source in reversed(sources) for key, member in source.items()}


def _unreadable(error: yaml.YAMLError, document: str) -> ManifestError:
    mark = getattr(error, "problem_mark", None)
    line = f"line {mark.line + 1} of the document: " if mark else ""
    return ManifestError(
        f"not YAML: {line}{getattr(error, 'problem', None) or getattr(error, 'reason', None) or error}",
        fix=syntax_hints.fix_for(document),
    )
