"""Collections of collections as lists of components."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.yaml.positioned import Positioned

_MOST_NESTED = 50
"""Collections inside of each other."""

_MOST_CIRCLES = 100


class Flattening:
    """Collections of collections as lists of components; a circle is reported where it closes."""

    def __init__(self, described: Mapping[str, Positioned], known: Collection[str], errors: list[ForgeError]) -> None:
        self._described = described
        self._known = known
        self._errors = errors
        self._done: dict[str, tuple[str, ...]] = {}

    def all(self) -> dict[str, tuple[str, ...]]:
        return {name: self._flat(name, ()) for name in self._described}

    def _flat(self, name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if name in self._done:
            return self._done[name]
        inside = (*path, name)
        found: dict[str, None] = {}
        for member in self._described[name].items:
            inner = member.string
            if inner is None:
                continue
            if inner in inside:
                self._circle(inside[inside.index(inner) :], member)
            elif len(inside) > _MOST_NESTED:
                self._too_deep(member)
            elif inner in self._described:
                found.update(dict.fromkeys(self._flat(inner, inside)))
            elif inner in self._known:
                found[inner] = None
        self._done[name] = tuple(found)
        return self._done[name]

    def _too_deep(self, member: Positioned) -> None:
        self._note(
            DescriptionError(
                f"collections stand in each other more than {_MOST_NESTED} levels deep",
                where=member.where,
                fix="name the components themselves",
            )
        )

    def _circle(self, circle: tuple[str, ...], member: Positioned) -> None:
        shown = " → ".join((*circle, circle[0]))
        self._note(
            DescriptionError(
                f"a collection contains itself: {shown}",
                where=member.where,
                fix="take one of these names out of the other's collection",
            )
        )

    def _note(self, error: ForgeError) -> None:
        """Collections that all contain each other close millions of circles, of which nobody reads the hundredth."""
        if len(self._errors) < _MOST_CIRCLES:
            self._errors.append(error)
