"""Choosing one of a few options: the rules, without a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster_forge.cli.prompts import pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What can be chosen, and what it means."""

    name: str
    about: str = ""


class OneOf:
    """Options and a pointer to one of them. Letters that are typed move it to the first option that begins with them."""

    def __init__(self, options: Sequence[Option], default: str) -> None:
        self.options = tuple(options)
        self.typed = ""
        self._position = [option.name for option in options].index(default)

    @property
    def pointed(self) -> Option:
        return self.options[self._position]

    @property
    def problem(self) -> str:
        """Why the choice cannot be accepted; empty if it can."""
        return "" if self._matching() else f"no option begins with '{self.typed}': esc clears it"

    def type(self, text: str) -> None:
        self.typed += text
        self._follow()

    def erase(self, number: int | None = None) -> None:
        """Remove the last ``number`` letters that were typed; None: all."""
        self.typed = self.typed[: 0 if number is None else -number]
        self._follow()

    def move(self, by: int) -> None:
        """Move the pointer ``by`` options down (`pointer.moved`)."""
        self.typed = ""
        self._position = pointer.moved(self._position, by, len(self.options))

    def _matching(self) -> list[int]:
        wanted = self.typed.casefold()
        return [position for position, option in enumerate(self.options) if option.name.casefold().startswith(wanted)]

    def _follow(self) -> None:
        matching = self._matching()
        if self.typed and matching:
            self._position = matching[0]
