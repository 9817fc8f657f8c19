"""The syntax of regular expressions as RE2 documents it ("Syntax"), without what matching in linear time cannot do."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 256
_DEEPEST: Final = 20
_END: Final = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]
"""Code points, from and to, sorted."""

Node = tuple["str | Ranges | int | Node | None", ...]
"""``("any of", a, b)``, ``("all of", a, b)``, ``("repeat", node, low, high or None)``, ``("one of", ranges)``, ``("at", mark)``."""


_CLASSES: Final = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "s": ((9, 10), (12, 13), (32, 32)),
}
_ANY: Final[Ranges] = ((0, 9), (11, _END))


def parse(text: str) -> Node:
    """The tree of a pattern.

    Raises:
        ValueError: for one that is not well-formed, has an unknown form, or is too long.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} characters")
    parser = _Parser(text)
    tree = parser.alternatives(0)
    if parser.place < len(text):
        raise ValueError("a `)` without its `(`")
    return tree


class _Parser:
    """Reads a pattern from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.place = 0

    def alternatives(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} groups in each other")
        parts = [self._sequence(depth)]
        while self._take("|"):
            parts.append(self._sequence(depth))
        return parts[0] if len(parts) == 1 else ("any of", *parts)

    def _sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        while self.place < len(self._text) and self._text[self.place] not in "|)":
            parts.append(self._repeated(self._atom(depth)))
        return ("all of", *parts)

    def _repeated(self, node: Node) -> Node:
        bounds = self._bounds()
        while bounds:
            low, high = bounds
            if high is not None and high < low:
                raise ValueError(f"{{{low},{high}}} ends before it begins")
            self._take("?")  # the shortest match first: for a whole text the same
            node = ("repeat", node, low, high)
            if bounds := self._bounds():
                raise ValueError("a repetition of a repetition: put the first one into a group")
        return node

    def _bounds(self) -> tuple[int, int | None] | None:
        if self._take("*"):
            return 0, None
        if self._take("+"):
            return 1, None
        if self._take("?"):
            return 0, 1
        if not self._take("{"):
            return None
        numbers, brace, _ = self._text[self.place :].partition("}")
        first, comma, last = numbers.partition(",")
        if not brace or not _is_number(first) or (last and not _is_number(last)):
            raise ValueError("`{` begins a repetition such as {2} or {1,3}: write \\{ for the character")
        self.place += len(numbers) + 1
        return int(first), (int(last) if last else None) if comma else int(first)

    def _atom(self, depth: int) -> Node:
        character = self._next()
        if character == "(":
            if self._take("?") and not self._take(":"):
                raise ValueError("`(?` is known as `(?:` only: no flags, no names, nothing that looks ahead or back")
            inner = self.alternatives(depth + 1)
            if not self._take(")"):
                raise ValueError("a `(` without its `)`")
            return inner
        if character in "^$":
            return ("at", character)
        if character == ".":
            return ("one of", _ANY)
        if character == "[":
            return ("one of", self._class())
        if character == "\\":
            return ("one of", self._escaped())
        if character in "*+?{":
            raise ValueError(f"`{character}` has nothing to repeat")
        return ("one of", _single(character))

    def _class(self) -> Ranges:
        is_negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        is_first = True
        while is_first or self._peek() != "]":
            is_first = False
            low = self._member()
            if len(low) == 1 and low[0][0] == low[0][1] and self._text[self.place : self.place + 1] == "-":
                after = self._text[self.place + 1 : self.place + 2]
                if after and after != "]":
                    self.place += 1
                    high = self._member()
                    if len(high) != 1 or high[0][0] < low[0][0]:
                        raise ValueError("a range in `[…]` ends before it begins")
                    low = ((low[0][0], high[0][1]),)
            ranges += low
        self.place += 1
        return _negated(tuple(ranges)) if is_negated else tuple(ranges)

    def _member(self) -> Ranges:
        character = self._next()
        if character == "[" and self._peek() == ":":
            raise ValueError("`[:name:]` is not known: write the characters, such as a-z0-9")
        return self._escaped() if character == "\\" else _single(character)

    def _escaped(self) -> Ranges:
        character = self._next()
        if character.lower() in _CLASSES:
            ranges = _CLASSES[character.lower()]
            return ranges if character.islower() else _negated(ranges)
        if character.isalnum():
            raise ValueError(f"`\\{character}` is not known")
        return _single(character)

    def _next(self) -> str:
        character = self._peek()
        self.place += 1
        return character

    def _peek(self) -> str:
        if self.place >= len(self._text):
            raise ValueError("it ends too early: a `[`, `\\` or group is not closed")
        return self._text[self.place]

    def _take(self, character: str) -> bool:
        is_there = self._text[self.place : self.place + 1] == character
        self.place += is_there
        return is_there


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4


def _single(character: str) -> Ranges:
    return ((ord(character), ord(character)),)


def _negated(ranges: Ranges) -> Ranges:
    result, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            result.append((start, low - 1))
        start = max(start, high + 1)
    return (*result, (start, _END)) if start <= _END else tuple(result)
