"""YAML as Kubernetes reads it, in Python: libyaml's parser with the scalars of Go's.

Slower than Go's own reader, but exact where that one rounds, and there on every platform.
"""

from __future__ import annotations

from typing import Any

import yaml

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.stack import scalar

_LOADER: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MERGE = "tag:yaml.org,2002:merge"
_MOST_NODES = 5_000_000
"""How many values a document may have once its aliases are followed."""


class PythonYaml:
    """`ports.YamlReader`. Of a repeated key the last value counts, as in Go's JSON (a check tells of it elsewhere)."""

    def read(self, document: str) -> Any:
        loader = _LOADER(document)
        try:
            node = loader.get_single_node()
            return _Values().of(node) if node is not None else None
        except yaml.YAMLError as error:
            raise _unreadable(error) from error
        except ValueError as error:
            raise ManifestError(f"not YAML as Kubernetes reads it: {error}", fix="put the value into quotes") from error
        except RecursionError as error:
            raise ManifestError("not YAML as Kubernetes reads it: nested too deep") from error
        finally:
            loader.dispose()


class _Values:
    """The values of one document's nodes."""

    def __init__(self) -> None:
        self._made = 0
        self._open: set[int] = set()

    def of(self, node: yaml.Node) -> Any:
        self._made += 1
        if self._made > _MOST_NODES:
            raise ManifestError(f"more than {_MOST_NODES} values once its aliases are followed: an alias bomb")
        if isinstance(node, yaml.ScalarNode):
            tag = None if node.tag == "tag:yaml.org,2002:str" else node.tag
            return scalar.resolve(node.value, plain=not node.style, tag=tag)
        if id(node) in self._open:
            raise ManifestError("an alias stands inside of what it names")
        self._open.add(id(node))
        try:
            return [self.of(item) for item in node.value] if isinstance(node, yaml.SequenceNode) else self._mapping(node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ManifestError(f"a key that is a list or a mapping, on line {key.start_mark.line + 1}")
            if key.value == "<<" and not key.style:
                members.update(self._merged(value))
            else:
                members[scalar.as_key(self.of(key))] = self.of(value)
        return members

    def _merged(self, node: yaml.Node) -> dict[str, Any]:
        sources = [self.of(item) for item in node.value] if isinstance(node, yaml.SequenceNode) else [self.of(node)]
        if not all(isinstance(source, dict) for source in sources):
            raise ManifestError("'<<' takes a mapping or a list of mappings")
        return {key: value for source in reversed(sources) for key, value in source.items()}


def _unreadable(error: yaml.YAMLError) -> ManifestError:
    mark = getattr(error, "problem_mark", None)
    line = f"line {mark.line + 1}: " if mark else ""
    return ManifestError(f"not YAML: {line}{getattr(error, 'problem', None) or error}")
