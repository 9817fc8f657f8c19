"""The history of each field of an object, from the states that it went through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cluster_forge.manifests.comparison import masking
from cluster_forge.manifests.manifest import Body
from cluster_forge.stages.explain import field_values
from cluster_forge.stages.explain.explanation import FieldHistory, FieldStep, Origin, ValuePlace
from cluster_forge.stages.explain.value_reach import Keys, ReachedField


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """An object at one point of its way: ``body``, and what brought it there, with its ``file:line``.

    ``place`` gives the ``file:line`` of what changed a field, by its path, where that is not the same for all.
    """

    body: Body
    origin: Origin
    what: str = ""
    where: str = ""
    place: Callable[[str], str] | None = None

    def where_of(self, path: str) -> str:
        """The ``file:line`` of what changed a field."""
        return self.place(path) if self.place else self.where


@dataclass(slots=True)
class _History:
    before: object
    steps: list[FieldStep] = field(default_factory=list)


def of(
    reached: Mapping[str, ReachedField], first: Body, states: Iterable[State], places: Mapping[Keys, str]
) -> tuple[FieldHistory, ...]:
    """Every field that values reach in ``first``, or that changed on the way from it; secret values are masked.

    ``places`` has the ``file:line`` of each value.
    """
    histories = {path: _of_values(field, places) for path, field in reached.items()}
    body = first
    for state in states:
        before, after = masking.masked(body, state.body)
        assert before is not None
        assert after is not None
        for path, (former, value) in field_values.differing(before, after).items():
            step = FieldStep(origin=state.origin, value=value, what=state.what, where=state.where_of(path))
            histories.setdefault(path, _History(former)).steps.append(step)
        body = state.body
    return tuple(
        FieldHistory(path=path, steps=(*_source(history.before), *history.steps)) for path, history in histories.items()
    )


def _of_values(reached: ReachedField, places: Mapping[Keys, str]) -> _History:
    values = tuple(ValuePlace(keys=keys, where=places.get(keys, "")) for keys in reached.keys)
    return _History(reached.before, [FieldStep(origin=Origin.VALUES, value=reached.after, values=values)])


def _source(value: object) -> Iterable[FieldStep]:
    if value is not None:
        yield FieldStep(origin=Origin.SOURCE, value=value)
