"""Keys that stand twice in one mapping of a YAML document: the last one wins, and the others are lost.

The API server refuses them in a request with strict field validation (KEP-2885).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import yaml

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MOST: Final = 20


@dataclass(slots=True)
class _Open:
    """A mapping or a list that is being read; ``keys`` are those of a mapping, ``key`` its last one."""

    is_mapping: bool
    keys: set[str] = field(default_factory=set)
    key: str = ""
    items: int = 0
    expects_key: bool = True


def repeated_keys(document: str) -> tuple[str, ...]:
    """Each as its path and its line: ``spec.replicas (line 7)``; none for a document that is not YAML."""
    repeated: list[str] = []
    stack: list[_Open] = []
    try:
        for event in yaml.parse(document, Loader=_LOADER):
            if isinstance(event, yaml.CollectionEndEvent):
                stack.pop()
            if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent | yaml.CollectionStartEvent) and stack:
                _enter(stack, event, repeated)
            if isinstance(event, yaml.CollectionStartEvent):
                stack.append(_Open(isinstance(event, yaml.MappingStartEvent)))
            if len(repeated) == _MOST:
                break
    except (yaml.YAMLError, UnicodeError):
        return ()
    return tuple(repeated)


def _enter(stack: list[_Open], event: yaml.NodeEvent, repeated: list[str]) -> None:
    """Note a key, a value or an item of the innermost mapping or list."""
    inner = stack[-1]
    if not inner.is_mapping:
        inner.items += 1
        return
    inner.expects_key = not inner.expects_key
    if inner.expects_key:
        return
    inner.key = str(event.value) if isinstance(event, yaml.ScalarEvent) else ""
    if not isinstance(event, yaml.ScalarEvent) or inner.key == "<<":
        return
    if inner.key in inner.keys:
        path = ".".join(part.key if part.is_mapping else str(part.items - 1) for part in stack)
        assert event.start_mark is not None
        repeated.append(f"{path} (line {event.start_mark.line + 1})")
    inner.keys.add(inner.key)
