"""Keys that stand twice in one mapping of a YAML document: the last one wins, and the others are lost.

The API server refuses them in a request with strict field validation (KEP-2885).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import yaml

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MOST: Final = 20
_STARTS: Final = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_ENDS: Final = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


@dataclass(slots=True)
class _Open:
    """A mapping or a list that is being read; ``keys`` are those of a mapping, ``key`` its last one."""

    is_mapping: bool
    keys: set[str] = field(default_factory=set)
    key: str = ""
    items: int = 0
    expects_key: bool = True

    def repeats(self, event: yaml.Event) -> bool:
        """Note the next key, value or item; whether it is a key that the mapping has already."""
        if not self.is_mapping:
            self.items += 1
            return False
        self.expects_key = not self.expects_key
        if self.expects_key:
            return False
        self.key = event.value if isinstance(event, yaml.ScalarEvent) else ""
        if not isinstance(event, yaml.ScalarEvent) or self.key == "<<":
            return False
        is_known = self.key in self.keys
        self.keys.add(self.key)
        return is_known


def repeated_keys(document: str) -> tuple[str, ...]:
    """Each as its path and its line: ``spec.replicas (line 7)``; none for a document that is not YAML."""
    try:
        return tuple(islice(_repeated(_LOADER(document).get_event), _MOST))
    except (yaml.YAMLError, UnicodeError):
        return ()


def _repeated(next_event: Callable[[], yaml.Event | None]) -> Iterator[str]:
    stack: list[_Open] = []
    while (event := next_event()) is not None:
        kind = type(event)
        if kind in _ENDS:
            stack.pop()
            continue
        if stack and stack[-1].repeats(event):
            path = ".".join(part.key if part.is_mapping else str(part.items - 1) for part in stack)
            assert event.start_mark is not None
            yield f"{path} (line {event.start_mark.line + 1})"
        if kind in _STARTS:
            stack.append(_Open(kind is yaml.MappingStartEvent))
