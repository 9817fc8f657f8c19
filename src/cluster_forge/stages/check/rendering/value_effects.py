"""Which values of a chart have no effect: found by rendering it without them, and with others.

A value has none if the objects are the same without it and with another one in its place, so one that spells out what the
chart does anyway (`fullnameOverride`, a pinned tag) has one. Values are tried in groups, which are halved where something
changes; those that a render shows in its objects need no further try.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cluster_forge.stack.component import Values
from cluster_forge.stages.check.rendering.rendered_objects import Randomness, RenderedObjects

Keys = tuple[str, ...]
"""The keys that lead to a value."""
Render = Callable[[Values], RenderedObjects | None]
"""The objects with these values; None if the chart refuses them."""

PROBE: Final = "cluster-forge-probe"
_FIRST: Final = 7340001
"""The number of the first value that is looked for in the objects: none that a chart has by itself."""
_MOST: Final = 200
"""Renders for one chart; values that are not decided by then count as effective."""


def leaves(values: Any, path: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Every value that is not a table with members, by its path: a list is one value."""
    if isinstance(values, Mapping) and (values or not path):
        for key, member in values.items():
            yield from leaves(member, (*path, str(key)))
    else:
        yield path, values


@dataclass(slots=True)
class ValueEffects:
    """The search in a chart that has ``values`` and renders to ``base``; ``text`` is what its objects say, in which a probe is
    looked for.
    """

    values: Values
    base: RenderedObjects
    random: Randomness
    render: Render
    text: Callable[[RenderedObjects], str]
    renders: int = 0

    def without_effect(self, paths: Collection[Keys]) -> list[Keys]:
        """Those of ``paths``, which are leaves, whose values change nothing."""
        unseen = self._not_seen(list(paths))
        removable = self._same(unseen, lambda group: _without(self.values, frozenset(group)))
        return self._same(
            removable, lambda group: _with(self.values, {keys: _other(self.values, keys) for keys in group})
        )

    def _not_seen(self, paths: Sequence[Keys]) -> list[Keys]:
        """The paths whose values are not seen in the objects when they are numbers of their own."""
        known = dict(leaves(self.values))
        texts = [
            keys for keys in paths if isinstance(known[keys], str | int | float) and not isinstance(known[keys], bool)
        ]
        seen = self._seen({keys: _FIRST + number for number, keys in enumerate(texts)}, known)
        return [keys for keys in paths if keys not in seen]

    def _seen(self, numbers: Mapping[Keys, int], known: Mapping[Keys, Any]) -> set[Keys]:
        if not numbers:
            return set()
        values = {
            keys: f"probe-{number}" if isinstance(known[keys], str) else number for keys, number in numbers.items()
        }
        objects = self._rendered(_with(self.values, values))
        if objects is not None:
            text = self.text(objects)
            return {keys for keys, number in numbers.items() if str(number) in text}
        if len(numbers) == 1:
            return set()
        half = len(numbers) // 2
        items = list(numbers.items())
        return self._seen(dict(items[:half]), known) | self._seen(dict(items[half:]), known)

    def _same(self, group: Sequence[Keys], variant: Callable[[Sequence[Keys]], Values]) -> list[Keys]:
        """Those of ``group`` with whose variant of the values the objects are the same."""
        if not group or self.renders >= _MOST:
            return []
        objects = self._rendered(variant(group))
        if objects is not None and self.base.is_like(objects, self.random):
            return list(group)
        if len(group) == 1:
            return []
        half = len(group) // 2
        return [*self._same(group[:half], variant), *self._same(group[half:], variant)]

    def _rendered(self, values: Values) -> RenderedObjects | None:
        if self.renders >= _MOST:
            return None
        self.renders += 1
        return self.render(values)


def _other(values: Values, keys: Keys) -> Any:
    """Another value of the same type."""
    value: Any = values
    for key in keys:
        value = value[key]
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 7
        case list() | tuple():
            return [] if value else [PROBE]
        case Mapping():
            return {PROBE: PROBE}
        case _:
            return PROBE


def _without(values: Values, removed: frozenset[Keys]) -> dict[str, Any]:
    """The values without those at ``removed``, and without tables that are empty then."""
    kept: dict[str, Any] = {}
    for key, value in values.items():
        rests = frozenset(keys[1:] for keys in removed if keys[0] == key)
        if not rests:
            kept[key] = value
        elif () not in rests:
            inner = _without(value, rests)
            if inner:
                kept[key] = inner
    return kept


def _with(values: Values, others: Mapping[Keys, Any]) -> dict[str, Any]:
    """The values with others at some paths, which exist."""
    changed = dict(values)
    for key in {keys[0] for keys in others}:
        inner = {keys[1:]: value for keys, value in others.items() if keys[0] == key}
        changed[key] = inner[()] if () in inner else _with(values[key], inner)
    return changed
