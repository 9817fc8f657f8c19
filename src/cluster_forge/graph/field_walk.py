"""Finding the values of many fields in one walk through an object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster_forge.graph.reference_field import ReferenceField
from cluster_forge.manifests.field_path import Step

_DEEPEST = 40
"""Levels that ``**`` looks into: no API has as many."""


@dataclass(slots=True)
class Steps:
    """The fields that end here, and the steps that go on."""

    ends: list[ReferenceField] = field(default_factory=list)
    members: dict[str, Steps] = field(default_factory=dict)
    suffixes: dict[str, Steps] = field(default_factory=dict)
    entry: Steps | None = None
    """The entries of a list."""
    member: Steps | None = None
    """The members of a mapping."""
    below: Steps | None = None
    """Everything below, at any depth."""

    @classmethod
    def of(cls, fields: Iterable[ReferenceField]) -> Steps:
        """The steps of the paths of ``fields``."""
        root = cls()
        for one in fields:
            here = root
            for step in one.path.split():
                here = here.after(step)
            here.ends.append(one)
        return root

    def after(self, step: str) -> Steps:
        """The steps after one more, as paths write it; it is added where no path had it."""
        match step:
            case "[]":
                self.entry = self.entry or Steps()
                return self.entry
            case "{}":
                self.member = self.member or Steps()
                return self.member
            case "**":
                self.below = self.below or Steps()
                return self.below
        if step.startswith("*"):
            return self.suffixes.setdefault(step[1:], Steps())
        return self.members.setdefault(step, Steps())

    def values(self, value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[ReferenceField, Any, tuple[Step, ...]]]:
        """Each field with its value and the path to it, in the order of the object."""
        for one in self.ends:
            yield one, value, path
        if isinstance(value, dict):
            yield from self._in_mapping(value, path)
        elif self.entry is not None and isinstance(value, list):
            for number, entry in enumerate(value):
                yield from self.entry.values(entry, (*path, entry_step(entry, number)))

    def _in_mapping(
        self, value: Mapping[str, Any], path: tuple[Step, ...]
    ) -> Iterator[tuple[ReferenceField, Any, tuple[Step, ...]]]:
        for name, steps in self.members.items():
            if name in value:
                yield from steps.values(value[name], (*path, name))
        for suffix, steps in self.suffixes.items():
            for name, member in value.items():
                if name.endswith(suffix):
                    yield from steps.values(member, (*path, name))
        if self.member is not None:
            for name, member in value.items():
                yield from self.member.values(member, (*path, name))
        if self.below is not None:
            for inner, at in everything(value, path):
                yield from self.below.values(inner, at)


def everything(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Mapping[str, Any], tuple[Step, ...]]]:
    """Every mapping in ``value``, itself included, with the path to it."""
    if len(path) > _DEEPEST:
        return
    if isinstance(value, dict):
        yield value, path
        for name, member in value.items():
            if isinstance(member, (dict, list)):
                yield from everything(member, (*path, name))
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            if isinstance(entry, (dict, list)):
                yield from everything(entry, (*path, entry_step(entry, number)))


def entry_step(entry: Any, number: int) -> Step:
    """The step to an entry of a list: by its name where it has one, else by its place."""
    name = entry.get("name") if isinstance(entry, dict) else None
    return (("name", f'"{name}"'),) if isinstance(name, str) else number
