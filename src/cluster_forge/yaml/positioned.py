"""JSON values of which every part knows the file and line where it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from cluster_forge.yaml.scalar_reader import Scalar

Path = tuple[str | int, ...]
"""Keys and list indexes from the top down."""


@dataclass(frozen=True, slots=True)
class Positioned:
    """A mapping or a sequence of positioned values, or a scalar.

    ``line`` (from 1) is that of the key for a member of a mapping, and that of the item in a sequence; 0 if unknown.
    ``text`` is a scalar that is not text as it is written: ``1.10`` where the value is 1.1.
    """

    content: Mapping[str, Positioned] | tuple[Positioned, ...] | Scalar
    file: str
    line: int = 0
    text: str = field(default="", compare=False)

    @classmethod
    def of(cls, value: Any, like: Positioned) -> Positioned:
        """``value`` (plain, or with positioned parts) at the position of ``like``."""
        if isinstance(value, Positioned):
            return value
        if isinstance(value, Mapping):
            members = {key: cls.of(member, like) for key, member in value.items()}
            return cls(MappingProxyType(members), like.file, like.line)
        if isinstance(value, list | tuple):
            return cls(tuple(cls.of(item, like) for item in value), like.file, like.line)
        return cls(value, like.file, like.line)

    @property
    def where(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def mapping(self) -> Mapping[str, Positioned]:
        """The members; none if this is not a mapping."""
        return self.content if isinstance(self.content, Mapping) else {}

    @property
    def items(self) -> Sequence[Positioned]:
        """The items; none if this is not a sequence."""
        return self.content if isinstance(self.content, tuple) else ()

    @property
    def string(self) -> str | None:
        """The text; None if this is not text."""
        return self.content if isinstance(self.content, str) else None

    @property
    def plain(self) -> Any:
        """The value as new dicts and lists."""
        content = self.content
        if isinstance(content, Mapping):
            return {key: member.plain for key, member in content.items()}
        if isinstance(content, tuple):
            return [item.plain for item in content]
        return content

    def get(self, key: str) -> Positioned | None:
        """The member; None if there is none, or if this is not a mapping."""
        return self.mapping.get(key)

    def string_of(self, key: str) -> str:
        """The text of a member; empty if there is none, or if it is not text."""
        member = self.mapping.get(key)
        return (member.string or "") if member else ""

    def strings(self, key: str) -> tuple[Positioned, ...]:
        """The texts in a member that is a list."""
        member = self.get(key)
        return tuple(item for item in member.items if item.string is not None) if member else ()

    def at(self, path: Path) -> Positioned:
        """The part at ``path``, or the nearest enclosing part that exists."""
        part = self
        for step in path:
            inner = part._member(step)
            if inner is None:
                break
            part = inner
        return part

    def origins(self, path: Path = ()) -> Iterator[tuple[Path, str]]:
        """Every path in this value, with its ``file:line``."""
        members = self.mapping.items() if isinstance(self.content, Mapping) else enumerate(self.items)
        for step, member in members:
            inner = (*path, step)
            yield inner, member.where
            yield from member.origins(inner)

    def without(self, *keys: str) -> Positioned:
        """The mapping without these members."""
        return replace(
            self, content=MappingProxyType({key: member for key, member in self.mapping.items() if key not in keys})
        )

    def _member(self, step: str | int) -> Positioned | None:
        if isinstance(step, str):
            return self.mapping.get(step)
        return self.items[step] if 0 <= step < len(self.items) else None
