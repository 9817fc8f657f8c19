"""Which values of a chart reach which fields of an object: found by rendering the chart without them.

Nothing is guessed from templates. A value that changes nothing when it is taken away (it is the chart's default, or no template
uses it) does not count. Groups of values without an effect are tried at once, so few renders are needed; their number is
bounded, and each is cached as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cluster_forge.foundation.errors import RenderError
from cluster_forge.manifests.comparison import masking
from cluster_forge.manifests.manifest import Body
from cluster_forge.stack.component import Values
from cluster_forge.stages.explain import field_values

Keys = tuple[str, ...]
"""The keys that lead to a value."""
Effect = Mapping[str, tuple[Any, Any]]
"""The value of each field that differs, without some values and with them."""
Render = Callable[[Values], Body | None]
"""The object in the chart with these values; None if it is not there. Raises RenderError if the chart refuses them."""

_OBJECT: Final = ""
"""Instead of a path: the object itself, which is not there without the value."""
_RENDERING: Final = "*"
"""Instead of a path: the chart does not render without the value."""
_PROBE: Final = "clusterForgeProbe"
_MOST: Final = 150
_FEW: Final = 3
"""Values that are tried one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedField:
    """A field: ``before`` without any value (or, where the chart needs some, without these), ``after`` with all.

    ``keys`` are those of the values that reach it, each alone; none if only several together do. Secret values are masked.
    """

    keys: tuple[Keys, ...]
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The fields that values reach, by their paths.

    ``needed`` are values without which the object is not there, ``required`` those without which the chart does not render.
    ``random`` are the fields that differ from render to render. ``is_complete``: all values were tried; otherwise some fields
    have a mapping of values instead of a single one, or none.
    """

    fields: Mapping[str, ReachedField]
    needed: tuple[Keys, ...] = ()
    required: tuple[Keys, ...] = ()
    random: frozenset[str] = frozenset()
    is_complete: bool = True


def of(values: Values, present: Body, render: Render, most: int = _MOST) -> Reach:
    """The reach of ``values``, with which the chart has the object ``present``; at most ``most`` renders."""
    return _Search(values, present, render, most).reach()


@dataclass(slots=True)
class _Search:
    values: Values
    present: Body
    render: Render
    most: int
    renders: int = 0
    random: frozenset[str] = frozenset()
    reached: dict[str, list[Keys]] = field(default_factory=dict)
    effects: dict[frozenset[Keys], Effect] = field(default_factory=dict)
    is_complete: bool = True

    def reach(self) -> Reach:
        self.random = frozenset(self._effect_of({**self.values, _PROBE: True}))
        of_all = self._effect_of({})
        if of_all:
            self._descend((), self.values)
        alone = {path: values for effect in self.effects.values() for path, values in effect.items()}
        return Reach(
            fields={
                path: ReachedField(keys=tuple(self.reached.get(path, ())), before=before, after=after)
                for path, (before, after) in sorted({**alone, **of_all}.items())
                if path not in (*self.random, _OBJECT, _RENDERING) and (path in of_all or path in self.reached)
            },
            needed=tuple(self.reached.get(_OBJECT, ())),
            required=tuple(self.reached.get(_RENDERING, ())),
            random=self.random,
            is_complete=self.is_complete,
        )

    def _descend(self, keys: Keys, value: Any) -> set[str]:
        """Record what ``value`` reaches, each field by the deepest value alone; the fields that it reaches."""
        effect = set(self._effect((keys,))) if keys else set()
        if keys and not effect:
            return effect
        inner: set[str] = set()
        if isinstance(value, Mapping):
            for group in self._with_effect([(*keys, key) for key in value]):
                inner |= self._descend(group, value[group[-1]])
        for path in sorted(effect - inner):
            self.reached.setdefault(path, []).append(keys)
        return effect | inner

    def _with_effect(self, group: Sequence[Keys]) -> Iterator[Keys]:
        """Those of ``group`` that may have an effect."""
        if len(group) <= _FEW:
            yield from group
        elif self._effect(tuple(group)):
            half = len(group) // 2
            yield from self._with_effect(group[:half])
            yield from self._with_effect(group[half:])

    def _effect(self, removed: tuple[Keys, ...]) -> Effect:
        """The fields that differ without these values."""
        chosen = frozenset(removed)
        if chosen not in self.effects:
            if self.renders >= self.most:
                self.is_complete = False
                return {}
            effect = self._effect_of(_without(self.values, chosen))
            self.effects[chosen] = {path: values for path, values in effect.items() if path not in self.random}
        return self.effects[chosen]

    def _effect_of(self, values: Values) -> Effect:
        self.renders += 1
        try:
            other = self.render(values)
        except RenderError:
            return {_RENDERING: (None, None)}
        if other is None:
            return {_OBJECT: (None, None)}
        before, after = masking.masked(other, self.present)
        assert before is not None
        assert after is not None
        return field_values.differing(before, after)


def _without(values: Mapping[str, Any], removed: frozenset[Keys]) -> dict[str, Any]:
    """``values`` without those at ``removed``."""
    heads: dict[str, set[Keys]] = {}
    for keys in removed:
        heads.setdefault(keys[0], set()).add(keys[1:])
    kept = {}
    for key, value in values.items():
        rests = heads.get(key)
        if rests is None:
            kept[key] = value
        elif () not in rests:
            kept[key] = _without(value, frozenset(rests))
    return kept
