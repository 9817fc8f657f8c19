"""What is picked of a catalog, while somebody picks: what that needs comes along, and goes again with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cluster_forge.cli.prompts.choice import Mark, Row, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Come:
    """What names come to: the components with all that they need, and why these cannot be in one stack."""

    components: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


ComeTo = Callable[[Sequence[str]], Come]
"""What the given components and collections come to."""


class CatalogChoice(Rows):
    """Rows of a catalog, and those of them that are picked, in the order in which they were."""

    def __init__(self, rows: Sequence[Row], come_to: ComeTo) -> None:
        super().__init__(rows)
        self._picked: dict[str, Row] = {}
        self._come_to = come_to
        self._come = Come()

    @property
    def chosen(self) -> tuple[str, ...]:
        there = set(self._come.components)
        return tuple(name for name in self.components if name in there)

    @property
    def problem(self) -> str:
        return next(iter(self._come.problems), super().problem)

    @property
    def words(self) -> tuple[str, ...]:
        """The names that were picked."""
        return tuple(self._picked)

    def mark(self, row: Row) -> Mark:
        there = set(self._come.components)
        if row.name in self._picked or self._members(self._picked) >= set(row.members):
            return Mark.ALL
        if there >= set(row.members):
            return Mark.NEEDED
        return Mark.SOME if len(row.members) > 1 and not there.isdisjoint(row.members) else Mark.NONE

    def toggle(self) -> None:
        if row := self.pointed:
            self._toggle([row], off=row.name in self._picked)

    def toggle_shown(self) -> None:
        shown = self.shown
        self._toggle(shown, off=all(row.name in self._picked for row in shown))

    def _toggle(self, rows: Sequence[Row], *, off: bool) -> None:
        before = self._come.components
        for row in rows:
            if off:
                self._picked.pop(row.name, None)
            else:
                self._picked[row.name] = row
        self._come = self._come_to(self.words) if self._picked else Come()
        said = {member for row in rows for member in row.members}
        come = [name for name in self._come.components if name not in before and name not in said]
        gone = [name for name in before if name not in self._come.components and name not in said]
        kept = sorted(said.intersection(self._come.components)) if off else []
        told = [
            f"comes along, because it is needed: {', '.join(come)}" if come else "",
            f"goes, because nothing needs it now: {', '.join(gone)}" if gone else "",
            f"stays, because it is needed: {', '.join(kept)}" if kept else "",
        ]
        self.message = next(iter(self._come.problems), "; ".join(filter(None, told)))

    @staticmethod
    def _members(picked: dict[str, Row]) -> set[str]:
        return {member for row in picked.values() for member in row.members}
