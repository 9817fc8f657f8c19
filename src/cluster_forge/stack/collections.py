"""Collections of collections as lists of components."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.yaml.positioned import Positioned

_DEEPEST = 50
"""Collections inside each other."""

_MOST_ERRORS = 100
"""Collections that all contain each other have millions of cycles."""


def flattened(
    described: Mapping[str, Positioned], known: Collection[str], errors: list[ForgeError]
) -> dict[str, tuple[str, ...]]:
    """The components of each collection, including those of the collections in it.

    ``known`` are the names of components. A cycle is reported where it closes; errors go into ``errors``.
    """
    flattening = _Flattening(described, known, errors)
    return {name: flattening.flat(name, ()) for name in described}


class _Flattening:
    def __init__(self, described: Mapping[str, Positioned], known: Collection[str], errors: list[ForgeError]) -> None:
        self._described = described
        self._known = known
        self._errors = errors
        self._done: dict[str, tuple[str, ...]] = {}

    def flat(self, name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if name in self._done:
            return self._done[name]
        inside = (*path, name)
        components: dict[str, None] = {}
        for member in self._described[name].items:
            inner = member.string
            if inner is None:
                continue
            if inner in inside:
                self._cycle(inside[inside.index(inner) :], member)
            elif len(inside) > _DEEPEST:
                self._too_deep(member)
            elif inner in self._described:
                components.update(dict.fromkeys(self.flat(inner, inside)))
            elif inner in self._known:
                components[inner] = None
        self._done[name] = tuple(components)
        return self._done[name]

    def _too_deep(self, member: Positioned) -> None:
        self._add(
            DescriptionError(
                f"collections are nested too deep (limit {_DEEPEST})",
                where=member.where,
                fix="list the components themselves",
            )
        )

    def _cycle(self, cycle: tuple[str, ...], member: Positioned) -> None:
        shown = " → ".join((*cycle, cycle[0]))
        self._add(
            DescriptionError(
                f"collection cycle: {shown}",
                where=member.where,
                fix="remove one of these collections from the one before it",
            )
        )

    def _add(self, error: ForgeError) -> None:
        if len(self._errors) < _MOST_ERRORS:
            self._errors.append(error)
