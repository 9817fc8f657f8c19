"""What is chosen of a list of components and collections, while somebody chooses: no terminal, only the rules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_NONE_CHOSEN = "nothing is chosen: space chooses, ctrl-a chooses all, ctrl-c stops"

WithNeeds = Callable[[Iterable[str]], Sequence[str]]
"""The given components and everything that they need."""


class Mark(StrEnum):
    """How much of a row is chosen, as it is shown."""

    ALL = "[x]"
    SOME = "[-]"
    NEEDED = "[+]"
    NONE = "[ ]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A name that can be chosen. ``members``: the components that it stands for, itself if it is one.

    ``about`` says what it is and is searched like the name; ``pulls`` says what comes with it.
    """

    name: str
    members: tuple[str, ...]
    about: str = ""
    pulls: str = ""


class Rows(ABC):
    """A list to choose from: the rows, a search, and a row that is pointed at; each component has a row."""

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
        """Why the choice cannot be left as it is; empty if it can."""
        return "" if self.chosen else _NONE_CHOSEN

    @abstractmethod
    def mark(self, row: Row) -> Mark:
        """How much of a row is chosen."""

    @abstractmethod
    def toggle(self) -> None:
        """Choose the row that is pointed at, or take it out."""

    @abstractmethod
    def toggle_shown(self) -> None:
        """Choose every row that is shown, or take all of them out if all are chosen."""

    @property
    def shown(self) -> tuple[Row, ...]:
        """The rows that hold what is searched for."""
        wanted = self.search.casefold()
        return tuple(row for row in self.rows if wanted in row.name.casefold() or wanted in row.about.casefold())

    @property
    def pointed(self) -> Row | None:
        shown = self.shown
        return shown[self._position] if shown else None

    def type(self, text: str) -> None:
        """Search for what was searched for, and ``text`` after it."""
        self.search, self._position, self.message = self.search + text, 0, ""

    def erase(self, number: int | None = None) -> None:
        """Take the last letters of the search back; all without a number."""
        kept = 0 if number is None else -number
        self.search, self._position, self.message = self.search[:kept], 0, ""

    def move(self, by: int) -> None:
        """Point ``by`` rows further down; one step beyond an end comes back at the other, a longer one stops there."""
        self.message = ""
        last, wanted = len(self.shown) - 1, self._position + by
        wraps = abs(by) == 1 and not 0 <= wanted <= last
        self._position = (last if by < 0 else 0) if wraps else min(max(wanted, 0), max(last, 0))


class Choice(Rows):
    """Components of a stack that are chosen.

    Choosing a component chooses what it needs. A collection is chosen while all of its components are. With
    ``needs_are_kept`` nothing can be taken out that something chosen needs.
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
        """Choose the row that is pointed at, or take it out if all of it is chosen."""
        self.message = ""
        if row := self.pointed:
            self._toggle(row.members)

    def toggle_shown(self) -> None:
        """Choose every row that is shown, or take all of them out if all are chosen."""
        self.message = ""
        self._toggle(tuple(dict.fromkeys(member for row in self.shown for member in row.members)))

    def words(self) -> tuple[str, ...]:
        """The shortest names for what is chosen: whole collections, and the components in none of them."""
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
            if brought := [name for name in with_needs if name not in self._chosen and name not in members]:
                self.message = f"chosen too, because it is needed: {', '.join(brought)}"
            self._chosen.update(members, with_needs)

    def _restore(self, members: Sequence[str]) -> None:
        """Choose again what the rest needs of ``members``, and say who it is for."""
        needed = set(self._with_needs(self._chosen))
        if kept := [member for member in members if member in needed]:
            users = [name for name in self.chosen if not set(kept).isdisjoint(self._with_needs([name]))]
            self._chosen.update(kept)
            self.message = f"{', '.join(kept)} stays: needed by {', '.join(users)}"
