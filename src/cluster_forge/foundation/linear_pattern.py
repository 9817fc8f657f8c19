r"""Regular expressions that match a whole text in time linear in its length: a subset of RE2's, for patterns that others wrote.

Python's own backtrack: ``(a+)+b`` takes ages for a name of 40 letters. These are run as a set of states (Thompson, "Regular
Expression Search Algorithm", 1968), as Go's `regexp` does, which kustomize matches targets with. Known are ``.``, ``[…]``,
``\d \w \s`` and their opposites, ``|``, groups, ``* + ? {n,m}``, ``^`` and ``$``; an unknown form is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Final, Self

from cluster_forge.foundation import pattern_syntax
from cluster_forge.foundation.pattern_syntax import Node, Ranges

_MOST_STATES: Final = 500
_MOST_CACHED: Final = 50_000
"""State numbers in the steps that a pattern remembers: a few MiB."""
_SPECIAL: Final = "|()[]{}*+?.^$\\"


@dataclass(frozen=True, slots=True)
class LinearPattern:
    """A pattern, anchored at both ends: ``text`` as it was written."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check a pattern.

        Raises:
            ValueError: for one that is not well-formed, has an unknown form, or is too large.
        """
        _program(text)
        return cls(text)

    def matches(self, text: str) -> bool:
        """Whether the pattern matches all of ``text``."""
        return _program(self.text).matches(text)


@dataclass(slots=True)
class _Program:
    """States by number. A state has characters that lead to the next number, or ways to others without a character."""

    characters: list[Ranges | None] = field(default_factory=list)
    ways: list[tuple[int, ...]] = field(default_factory=list)
    asserted: dict[int, str] = field(default_factory=dict)
    """States that are passed at the start (``^``) or the end (``$``) of the text only."""
    _steps: dict[tuple[frozenset[int], str], frozenset[int]] = field(default_factory=dict)
    _cached: int = 0

    def add(self, characters: Ranges | None = None, *ways: int) -> int:
        if len(self.ways) >= _MOST_STATES:
            raise ValueError("too large: use fewer or smaller repetitions")
        self.characters.append(characters)
        self.ways.append(ways)
        return len(self.ways) - 1

    def matches(self, text: str) -> bool:
        states = self._closure({0}, is_start=True, is_end=not text)
        for character in text[:-1]:
            states = self._after(states, character)
        if text:
            states = self._closure(self._step(states, text[-1]), is_start=False, is_end=True)
        return len(self.ways) - 1 in states

    def _after(self, states: frozenset[int], character: str) -> frozenset[int]:
        """The states after a character that is not the last one: the same for all texts, so each is computed once."""
        known = self._steps.get((states, character))
        if known is None:
            known = self._closure(self._step(states, character), is_start=False, is_end=False)
            self._cached += 1 + len(known)
            if self._cached > _MOST_CACHED:
                self._steps.clear()
                self._cached = 1 + len(known)
            self._steps[states, character] = known
        return known

    def _step(self, states: frozenset[int], character: str) -> set[int]:
        point = ord(character)
        return {
            state + 1
            for state in states
            if (ranges := self.characters[state]) and any(low <= point <= high for low, high in ranges)
        }

    def _closure(self, states: set[int], *, is_start: bool, is_end: bool) -> frozenset[int]:
        """The states that are reached without a character."""
        reached, waiting = set(states), list(states)
        while waiting:
            state = waiting.pop()
            mark = self.asserted.get(state)
            if (mark == "^" and not is_start) or (mark == "$" and not is_end):
                continue
            new = [way for way in self.ways[state] if way not in reached]
            reached.update(new)
            waiting += new
        return frozenset(reached)


@cache
def _program(text: str) -> _Program:
    tree = pattern_syntax.parse(text)
    program = _Program()
    _compile(tree, program)
    program.add()
    return program


def _compile(node: Node, program: _Program) -> None:
    match node:
        case ("one of", ranges):
            program.add(ranges)  # type: ignore[arg-type]
        case ("at", mark):
            program.asserted[program.add(None, len(program.ways) + 1)] = mark  # type: ignore[assignment]
        case ("all of",):
            program.add(None, len(program.ways) + 1)  # counted, so that repeating nothing is bounded, too
        case ("all of", *parts):
            for part in parts:
                _compile(part, program)  # type: ignore[arg-type]
        case ("any of", *parts):
            _compile_choice(parts, program)  # type: ignore[arg-type]
        case ("repeat", part, low, high):
            _compile_repetition(part, low, high, program)  # type: ignore[arg-type]


def _compile_choice(parts: list[Node], program: _Program) -> None:
    split = program.add()
    starts, ends = [], []
    for part in parts:
        starts.append(len(program.ways))
        _compile(part, program)
        ends.append(program.add())
    program.ways[split] = tuple(starts)
    for end in ends:
        program.ways[end] = (len(program.ways),)


def _compile_repetition(part: Node, low: int, high: int | None, program: _Program) -> None:
    for _ in range(low):
        _compile(part, program)
    if high is None:
        split = program.add()
        _compile(part, program)
        program.add(None, split)
        program.ways[split] = (split + 1, len(program.ways))
        return
    splits = []
    for _ in range(high - low):
        splits.append(program.add())
        _compile(part, program)
    for split in splits:
        program.ways[split] = (split + 1, len(program.ways))


def escaped(text: str) -> str:
    """The pattern that matches ``text`` alone."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in text)
