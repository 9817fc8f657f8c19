"""YAML as Kubernetes reads it, in Python: libyaml's events with the scalars of Go's.

Slower than Go's own reader, but exact where that one rounds, and there on every platform.
"""

from __future__ import annotations

from typing import Any

import yaml

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.yaml import scalar_reader, syntax_hints

_LOADER: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MERGE = "tag:yaml.org,2002:merge"
_DEEPEST = 300
_MOST_COPIES = 1_000_000
"""How many values the aliases of one document may repeat."""


class PurePythonYaml:
    """`ports.YamlReader`. Of a repeated key the last value counts, as in Go's JSON."""

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
            raise ManifestError(f"not YAML as Kubernetes reads it: {error}", fix="put the value into quotes") from error
        finally:
            loader.dispose()


class _Document:
    """The value of one document, built from the parser's events: a deep one must not exhaust the parser's stack."""

    def __init__(self, loader: Any) -> None:
        self._next = loader.get_event
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open: set[str] = set()
        self._made = 0
        self._copied = 0

    def value(self) -> Any:
        """The document's value, None if there is none.

        Raises:
            ManifestError: if a second document follows.
        """
        self._next()
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        found = self._of(self._next(), 0)
        self._next()
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise ManifestError("not one YAML document: another begins in it", fix="part documents by '---'")
        return found

    def _of(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > _DEEPEST:
            raise ManifestError(f"not YAML as Kubernetes reads it: nested deeper than {_DEEPEST} levels")
        before = self._made
        self._made += 1
        if event.anchor:
            self._open.add(event.anchor)
        if isinstance(event, yaml.ScalarEvent):
            found: Any = scalar_reader.resolve(event.value, plain=event.implicit[0], tag=event.tag)
        elif isinstance(event, yaml.SequenceStartEvent):
            found = self._sequence(depth + 1)
        else:
            found = self._mapping(depth + 1)
        if event.anchor:
            self._open.discard(event.anchor)
            self._anchors[event.anchor] = found, self._made - before
        return found

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
            raise ManifestError(f"not YAML: the alias *{name} stands inside of what it names")
        if name not in self._anchors:
            raise ManifestError(f"not YAML: unknown anchor {name!r} referenced")
        found, size = self._anchors[name]
        self._made += size
        self._copied += size
        if self._copied > _MOST_COPIES:
            raise ManifestError(f"not YAML that anybody reads: its aliases repeat more than {_MOST_COPIES} values")
        return found


def _merged(value: Any) -> dict[str, Any]:
    """What ``<<`` brings; of several mappings the first has precedence."""
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise ManifestError("not YAML as Kubernetes reads it: '<<' takes a mapping or a list of mappings")
    return {key: member for source in reversed(sources) for key, member in source.items()}


def _unreadable(error: yaml.YAMLError, document: str) -> ManifestError:
    mark = getattr(error, "problem_mark", None)
    line = f"line {mark.line + 1} of the document: " if mark else ""
    return ManifestError(
        f"not YAML: {line}{getattr(error, 'problem', None) or getattr(error, 'reason', None) or error}",
        fix=syntax_hints.fix_for(document),
    )
