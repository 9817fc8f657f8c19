"""Label selectors as Kubernetes reads them: ``app=web,tier in (a, b),!canary``.

Source: ``k8s.io/apimachinery``, ``pkg/labels``; Kubernetes, "Labels and Selectors". Annotations are selected in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

_LONGEST: Final = 4096
"""Characters of a selector: looking for commas takes time with the square of it."""
_COMMA: Final = re.compile(r",(?![^()]*\))")
"""Between requirements, not between the values of one."""
_SET: Final = re.compile(r"(\S+)\s+(in|notin)\s*\(([^()]*)\)", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9][\w./-]*", re.ASCII)
_VALUE: Final = re.compile(r"[\w.-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement: the label is one of ``values``, or is there (None); or neither, if it is not ``is_wanted``."""

    key: str
    values: frozenset[str] | None
    is_wanted: bool

    def holds(self, labels: Mapping[str, Any]) -> bool:
        if self.values is None:
            return (self.key in labels) is self.is_wanted
        return (labels.get(self.key) in self.values) is self.is_wanted


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All requirements must hold; without any, it selects everything."""

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a selector.

        Raises:
            ValueError: for a part that is not a requirement, which the message quotes, and for a text that is too long.
        """
        if len(text) > _LONGEST:
            raise ValueError(f"the selector has {len(text):,} characters (limit {_LONGEST:,})")
        return cls(tuple(_requirements(text)))

    def selects(self, labels: Mapping[str, Any]) -> bool:
        return all(requirement.holds(labels) for requirement in self.requirements)


def _requirements(selector: str) -> Iterator[Requirement]:
    for text in filter(None, map(str.strip, _COMMA.split(selector))):
        yield _requirement(text)


def _requirement(text: str) -> Requirement:
    if match := _SET.fullmatch(text):
        key, word, values = match.groups()
        return _checked(text, key, frozenset(map(str.strip, values.split(","))), is_wanted=word == "in")
    key, unequal, value = text.partition("!=")
    if not unequal:
        key, equal, value = text.partition("=")
        if not equal:
            return _checked(text, text.removeprefix("!").strip(), None, is_wanted=not text.startswith("!"))
        value = value.removeprefix("=")
    return _checked(text, key.strip(), frozenset({value.strip()}), is_wanted=not unequal)


def _checked(text: str, key: str, values: frozenset[str] | None, *, is_wanted: bool) -> Requirement:
    if not _KEY.fullmatch(key) or not all(map(_VALUE.fullmatch, values or ())):
        raise ValueError(f"{text!r} is not a requirement of labels")
    return Requirement(key, values, is_wanted)
