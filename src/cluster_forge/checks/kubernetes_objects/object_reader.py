"""Reading an object of one of Kubernetes' own kinds as the API server does: every field known, of its type, and of a value it takes.

Sources: Kubernetes, "Server-Side Apply" and "Server Side Field Validation" (KEP-2885): what is not in the schema is refused;
sigs.k8s.io/structured-merge-diff for the keys of lists; ``pkg/apis/*/validation`` for the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from cluster_forge.checks.kubernetes_objects.constraints import Constraint
from cluster_forge.checks.kubernetes_objects.field_constraints import CONSTRAINTS
from cluster_forge.checks.kubernetes_objects.problem import Problem, shown
from cluster_forge.checks.kubernetes_objects.required_fields import is_enforced
from cluster_forge.checks.kubernetes_objects.rules.all_rules import RULES
from cluster_forge.checks.kubernetes_objects.scalars import SCALARS, wrong
from cluster_forge.foundation.names import nearest
from cluster_forge.manifests import kubernetes_apis, list_keys
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.kubernetes_schemas import ANY, FIELDS_OF, LIST, MAPPING, Schemas, Shape

_Place: TypeAlias = "tuple[_Place, str | tuple[int, Shape, Any]] | None"
"""The way to a value: a name, or the number of an entry with its list's shape and the entry itself; None for the object."""

MOST: Final = 20
"""Problems of one object that are reported."""


def problems(body: Mapping[str, Any], shape: Shape, schemas: Schemas) -> Sequence[Problem]:
    """What the API server refuses in an object, at most `MOST`."""
    reader = _Reader(schemas)
    return tuple(islice(chain(reader.read(body, shape, None), reader.without_spec(body, shape)), MOST))


class _Reader:
    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def read(self, value: Any, shape: Shape, place: _Place) -> Iterator[Problem]:
        """The problems of a value that is not null."""
        kind = shape.type
        if kind == FIELDS_OF:
            yield from (
                self._fields(value, shape, place) if isinstance(value, dict) else [wrong(value, kind, _steps(place))]
            )
        elif kind == LIST:
            yield from (
                self._entries(value, shape, place) if isinstance(value, list) else [wrong(value, kind, _steps(place))]
            )
        elif kind == MAPPING:
            yield from (
                self._values(value, shape, place) if isinstance(value, dict) else [wrong(value, kind, _steps(place))]
            )
        elif kind != ANY and not SCALARS[kind](value):
            yield from [wrong(value, kind, _steps(place))]

    def without_spec(self, body: Mapping[str, Any], shape: Shape) -> Iterator[Problem]:
        """The one problem of an object without a ``spec`` that its kind cannot do without: the API server reads it as an empty one."""
        fields = self._schemas.fields(shape.definition) if shape.type == FIELDS_OF else None
        spec = fields.shapes.get("spec") if fields and body.get("spec") is None else None
        if not fields or not spec or spec.type != FIELDS_OF or "spec" in fields.required:
            return
        if next(self.read({}, spec, None), None):
            yield _missing("spec", None)

    def _fields(self, value: Mapping[str, Any], shape: Shape, place: _Place) -> Iterator[Problem]:
        definition = shape.definition
        fields = self._schemas.fields(definition)
        constraints = CONSTRAINTS.get(definition, _NO_CONSTRAINTS)
        for name, inner in value.items():
            known = fields.shapes.get(name)
            if known is None:
                yield self._unknown(name, definition, place)
            elif inner is not None:
                yield from self._field(name, inner, known, place)
                if name in constraints and (complaint := constraints[name](inner)):
                    yield Problem(steps=_steps((place, name)), message=f"{name}: {complaint[0]}", fix=complaint[1])
        for name in fields.required:
            if value.get(name) in _NOTHING and is_enforced(definition, name):
                yield _missing(name, place)
        for rule in RULES.get(definition, ()):
            for problem in rule(value, self._schemas.minor):
                yield problem.below(*_steps(place))

    def _field(self, name: str, value: Any, shape: Shape, place: _Place) -> Iterator[Problem]:
        """The problems of a field; most are scalars, for which nothing is built."""
        if shape.type in SCALARS:
            if not SCALARS[shape.type](value):
                yield wrong(value, shape.type, _steps((place, name)))
        elif shape.type != ANY:
            yield from self.read(value, shape, (place, name))

    def _entries(self, entries: Sequence[Any], shape: Shape, place: _Place) -> Iterator[Problem]:
        inner = shape.inner
        assert inner is not None
        for number, entry in enumerate(entries):
            if entry is not None:
                yield from self.read(entry, inner, (place, (number, shape, entry)))
        if (shape.keys or shape.is_set) and len(entries) > 1:
            yield from _twice(entries, shape, place)

    def _values(self, values: Mapping[str, Any], shape: Shape, place: _Place) -> Iterator[Problem]:
        inner = shape.inner
        assert inner is not None
        for name, value in values.items():
            if value is not None:
                yield from self.read(value, inner, (place, name))

    def _unknown(self, name: str, definition: str, place: _Place) -> Problem:
        if others := self._schemas.minors_of(definition, name):
            target = f"Kubernetes 1.{self._schemas.minor}"
            message = f"{target} does not know the field {name}; {kubernetes_apis.do(others)}"
            fix = f"remove it, or use a version of the chart that fits {target}"
            return Problem(steps=(*_steps(place), name), message=message, fix=fix)
        known = self._schemas.fields(definition).shapes
        near = next((other for other in known if other.lower() == name.lower()), None)
        below = next((other for other in sorted(known) if self._has(known[other], name)), "")
        near = near or (None if below else nearest(name, known))
        if near:
            message, fix = f"unknown field {name}, did you mean {near}?", f"write {near}, or remove it"
        elif below:
            message, fix = f"unknown field {name}: it belongs below {below}", f"move it into {below}"
        else:
            message, fix = f"unknown field {name}", "remove it, or move it to where it belongs"
        return Problem(steps=(*_steps(place), name), message=message, fix=fix)

    def _has(self, shape: Shape, name: str) -> bool:
        """Whether the fields of a mapping, or those of the entries of a list, have one of this name."""
        inner = shape.inner if shape.type == LIST and shape.inner else shape
        return inner.type == FIELDS_OF and name in self._schemas.fields(inner.definition).shapes


_NOTHING: Final[tuple[Any, ...]] = (None, "", [])
_NO_CONSTRAINTS: Final[Mapping[str, Constraint]] = MappingProxyType({})


def _missing(name: str, place: _Place) -> Problem:
    return Problem(steps=(*_steps(place), name), message=f"{name} is missing", fix=f"set {name}")


def _twice(entries: Sequence[Any], shape: Shape, place: _Place) -> Iterator[Problem]:
    """The entries of a list with keys, or the members of a set, that are there twice."""
    seen: set[Any] = set()
    for number, entry in enumerate(entries):
        key = _key(entry, shape)
        if key is None:
            continue
        if key in seen:
            what = ", ".join(f"{name} {value}" for name, value in key) if shape.keys else shown(entry)
            yield Problem(
                steps=(*_steps(place), number), message=f"{what} is in the list twice", fix="remove one of the two"
            )
        seen.add(key)


def _key(entry: Any, shape: Shape) -> Any:
    """What must not be in the list twice; None for an entry without it, or that is not a mapping."""
    if shape.is_set:
        return (list_keys.text(entry),) if not isinstance(entry, dict | list | None) else None
    if not isinstance(entry, dict):
        return None
    values = [(name, entry.get(name)) for name, _ in shape.keys]
    if all(value is None for _, value in values) or any(isinstance(value, dict | list) for _, value in values):
        return None
    defaults = dict(shape.keys)
    return tuple((name, list_keys.text(value if value is not None else defaults[name])) for name, value in values)


def _steps(place: _Place) -> tuple[Step, ...]:
    """The way to a value from the object, entries of lists by their keys where they have some."""
    steps: list[Step] = []
    while place is not None:
        place, step = place
        if isinstance(step, str):
            steps.append(step)
        else:
            number, shape, entry = step
            steps.append(_entry_step(number, shape, entry))
    return tuple(reversed(steps))


def _entry_step(number: int, shape: Shape, entry: Any) -> Step:
    named = [(name, entry.get(name)) for name, _ in shape.keys] if isinstance(entry, dict) else []
    if named and all(isinstance(value, str | int) and not isinstance(value, bool) for _, value in named[:1]):
        return tuple((name, list_keys.text(value)) for name, value in named[:1])
    return number
