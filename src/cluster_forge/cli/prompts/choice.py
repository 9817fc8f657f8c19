"""Choosing components and collections from a list: the rules, without a terminal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cluster_forge.cli.prompts import pointer

_NONE_CHOSEN = "nothing chosen: space chooses, ctrl-a chooses all, ctrl-c stops"

WithNeeds = Callable[[Iterable[str]], Sequence[str]]
"""The given components and all that they require."""


class Mark(StrEnum):
    """How much of a row is chosen, as the list shows it."""

    ALL = "[x]"
    SOME = "[-]"
    NEEDED = "[+]"
    NONE = "[ ]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A name that can be chosen. ``members``: the components of a collection, or the component itself.

    ``about`` describes it and is searched like the name; ``requires`` says what is added with it.
    """

    name: str
    members: tuple[str, ...]
    about: str = ""
    requires: str = ""


class Rows(ABC):
    """A list to choose from: rows, a search, and a pointer to a row. Every component has a row of its own."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(rows)
        self.search = ""
        self.message = ""
        self._components = tuple(row.name for row in rows if row.members == (row.name,))
        self._position = 0

    @property
    def components(self) -> tuple[str, ...]:
        """Everything that can be chosen."""
        return self._components

    @property
    @abstractmethod
    def chosen(self) -> tuple[str, ...]:
        """The components that are chosen, in the order of the rows."""

    @property
    def problem(self) -> str:
        """Why the choice cannot be accepted; empty if it can."""
        return "" if self.chosen else _NONE_CHOSEN

    @abstractmethod
    def mark(self, row: Row) -> Mark:
        """How much of a row is chosen."""

    @abstractmethod
    def toggle(self) -> None:
        """Choose the row at the pointer, or remove it from the choice."""

    @abstractmethod
    def toggle_shown(self) -> None:
        """Choose every shown row, or remove them if all are chosen."""

    @property
    def shown(self) -> tuple[Row, ...]:
        """The rows that match the search."""
        wanted = self.search.casefold()
        return tuple(row for row in self.rows if wanted in row.name.casefold() or wanted in row.about.casefold())

    @property
    def pointed(self) -> Row | None:
        shown = self.shown
        return shown[self._position] if shown else None

    def type(self, text: str) -> None:
        """Append ``text`` to the search."""
        self.search, self._position, self.message = self.search + text, 0, ""

    def erase(self, number: int | None = None) -> None:
        """Remove the last ``number`` letters of the search; None: all."""
        kept = 0 if number is None else -number
        self.search, self._position, self.message = self.search[:kept], 0, ""

    def move(self, by: int) -> None:
        """Move the pointer ``by`` rows down (`pointer.moved`)."""
        self.message = ""
        self._position = pointer.moved(self._position, by, len(self.shown))


class Choice(Rows):
    """The chosen components of a stack.

    Choosing a component chooses what it requires. A collection is chosen while all of its components are. With
    ``needs_are_kept`` a component that a chosen one requires cannot be removed.
    """

    def __init__(
        self, rows: Sequence[Row], chosen: Iterable[str], with_needs: WithNeeds, *, needs_are_kept: bool = False
    ) -> None:
        super().__init__(rows)
        self._chosen = set(chosen)
        self._with_needs = with_needs
        self._needs_are_kept = needs_are_kept

    @property
    def chosen(self) -> tuple[str, ...]:
        return tuple(name for name in self._components if name in self._chosen)

    def mark(self, row: Row) -> Mark:
        number = sum(member in self._chosen for member in row.members)
        return Mark.ALL if number == len(row.members) else Mark.SOME if number else Mark.NONE

    def toggle(self) -> None:
        """Choose the row at the pointer, or remove it if all of it is chosen."""
        self.message = ""
        if row := self.pointed:
            self._toggle(row.members)

    def toggle_shown(self) -> None:
        """Choose every shown row, or remove them if all are chosen."""
        self.message = ""
        self._toggle(tuple(dict.fromkeys(member for row in self.shown for member in row.members)))

    @property
    def words(self) -> tuple[str, ...]:
        """The shortest list of names for the choice: whole collections, and the components outside of them."""
        left = set(self._chosen)
        collections = [row for row in self.rows if len(row.members) > 1 and self.mark(row) is Mark.ALL]
        first: dict[str, str] = {}
        for row in sorted(collections, key=lambda row: -len(row.members)):
            if covered := [member for member in row.members if member in left]:
                first[covered[0]] = row.name
                left.difference_update(covered)
        return tuple(first.get(name, name) for name in self._components if name in first or name in left)

    def _toggle(self, members: Sequence[str]) -> None:
        if all(member in self._chosen for member in members):
            self._chosen.difference_update(members)
            if self._needs_are_kept:
                self._restore(members)
        else:
            with_needs = [name for name in self._with_needs(members) if name in self._components]
            if added := [name for name in with_needs if name not in self._chosen and name not in members]:
                self.message = f"added, because it is required: {', '.join(added)}"
            self._chosen.update(members, with_needs)

    def _restore(self, members: Sequence[str]) -> None:
        """Choose those of ``members`` again that the rest requires, and say which components require them."""
        needed = set(self._with_needs(self._chosen))
        if kept := [member for member in members if member in needed]:
            users = [name for name in self.chosen if not set(kept).isdisjoint(self._with_needs([name]))]
            self._chosen.update(kept)
            self.message = f"{', '.join(kept)} stays: required by {', '.join(users)}"
