"""Choosing from a catalog: required components are added, and removed again with what requires them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cluster_forge.cli.prompts.choice import Mark, Row, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """The components that names stand for with all that they require, and why they cannot be in one stack."""

    components: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


Resolve = Callable[[Sequence[str]], Requirements]
"""Resolves the given components and collections."""


class CatalogChoice(Rows):
    """Rows of a catalog, and the chosen ones in the order of choosing."""

    def __init__(self, rows: Sequence[Row], resolve: Resolve) -> None:
        super().__init__(rows)
        self._chosen_rows: dict[str, Row] = {}
        self._resolve = resolve
        self._requirements = Requirements()

    @property
    def chosen(self) -> tuple[str, ...]:
        components = set(self._requirements.components)
        return tuple(name for name in self.components if name in components)

    @property
    def problem(self) -> str:
        return next(iter(self._requirements.problems), super().problem)

    @property
    def words(self) -> tuple[str, ...]:
        """The names that were chosen."""
        return tuple(self._chosen_rows)

    def mark(self, row: Row) -> Mark:
        components = set(self._requirements.components)
        if row.name in self._chosen_rows or self._members(self._chosen_rows) >= set(row.members):
            return Mark.ALL
        if components >= set(row.members):
            return Mark.NEEDED
        return Mark.SOME if len(row.members) > 1 and not components.isdisjoint(row.members) else Mark.NONE

    def toggle(self) -> None:
        if row := self.pointed:
            self._toggle([row], off=row.name in self._chosen_rows)

    def toggle_shown(self) -> None:
        shown = self.shown
        self._toggle(shown, off=all(row.name in self._chosen_rows for row in shown))

    def _toggle(self, rows: Sequence[Row], *, off: bool) -> None:
        before = self._requirements.components
        for row in rows:
            if off:
                self._chosen_rows.pop(row.name, None)
            else:
                self._chosen_rows[row.name] = row
        self._requirements = self._resolve(self.words) if self._chosen_rows else Requirements()
        toggled = {member for row in rows for member in row.members}
        after = self._requirements.components
        added = [name for name in after if name not in before and name not in toggled]
        removed = [name for name in before if name not in after and name not in toggled]
        kept = sorted(toggled.intersection(after)) if off else []
        changes = [
            f"added, because it is required: {', '.join(added)}" if added else "",
            f"removed, because nothing requires it now: {', '.join(removed)}" if removed else "",
            f"stays, because it is required: {', '.join(kept)}" if kept else "",
        ]
        self.message = next(iter(self._requirements.problems), "; ".join(filter(None, changes)))

    @staticmethod
    def _members(chosen: dict[str, Row]) -> set[str]:
        return {member for row in chosen.values() for member in row.members}
