"""What a schema says of a value beside its structure: bounds, patterns, required fields, and the choices between schemas.

Source: kube-openapi, ``pkg/validation/validate``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, Final

from cluster_forge.checks.custom_resources import formats, patterns
from cluster_forge.checks.kubernetes_objects.problem import shown
from cluster_forge.foundation.names import counted
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import list_keys
from cluster_forge.manifests.field_path import Step

_DEEPEST: Final = 30
"""Choices within choices that are followed."""
_MANY: Final = 8
"""Values of an enumeration that a message names."""
_INT32: Final = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What is wrong with a value, or with one below it; the message goes on after the name of the field."""

    message: str
    fix: str
    steps: tuple[Step, ...] = ()


Schema = Mapping[str, Any]


def complaints(value: Any, schema: Schema, depth: int = 0) -> Iterator[Complaint]:
    """The complaints about a value; not those about what is below it, which the schema's structure leads to."""
    if depth > _DEEPEST:
        return
    yield from _of_enumeration(value, schema)
    if isinstance(value, str):
        yield from _of_text(value, schema)
    elif isinstance(value, list):
        yield from _of_list(value, schema)
    elif isinstance(value, dict):
        yield from _of_mapping(value, schema)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _of_number(value, schema)
    if not _CHOICES.isdisjoint(schema):
        yield from _of_choices(value, schema, depth)


def is_type(value: Any, kind: str) -> bool:
    """Whether a value is of a type of JSON schema."""
    check = _TYPES.get(kind)
    return check is None or check(value)


def _of_enumeration(value: Any, schema: Schema) -> Iterator[Complaint]:
    allowed = schema.get("enum")
    if not isinstance(allowed, list) or any(value == other and type(value) is type(other) for other in allowed):
        return
    words = ", ".join(list_keys.text(other) for other in allowed[:_MANY])
    more = f" and {len(allowed) - _MANY} others" if len(allowed) > _MANY else ""
    yield Complaint(message=f"is none of {words}{more}", fix="write one of them")


def _of_text(value: str, schema: Schema) -> Iterator[Complaint]:
    least, most, pattern = schema.get("minLength"), schema.get("maxLength"), schema.get("pattern")
    if isinstance(least, int) and len(value) < least:
        yield Complaint(message=f"has {len(value)} characters, and needs {least}", fix="write a longer one")
    if isinstance(most, int) and len(value) > most:
        yield Complaint(message=f"has {len(value)} characters, and may have {most}", fix="write a shorter one")
    if isinstance(pattern, str) and not patterns.matches(pattern, value):
        yield Complaint(message=f"does not match {shown(pattern)}", fix="write one that does")
    if expected := formats.expected(schema.get("format"), value):
        yield Complaint(message=f"is not {expected}", fix=f"write {expected}")


def _of_number(value: float, schema: Schema) -> Iterator[Complaint]:
    least, most, step = (_number(schema.get(name)) for name in ("minimum", "maximum", "multipleOf"))
    if least is not None and (value < least or (value == least and schema.get("exclusiveMinimum") is True)):
        yield Complaint(message=f"is {value}, below the least value {least}", fix=f"write {least} or more")
    if most is not None and (value > most or (value == most and schema.get("exclusiveMaximum") is True)):
        yield Complaint(message=f"is {value}, above the greatest value {most}", fix=f"write {most} or less")
    if step is not None and step > 0 and Decimal(str(value)) % Decimal(str(step)) != 0:
        yield Complaint(message=f"is {value}, not a multiple of {step}", fix=f"write a multiple of {step}")
    if schema.get("format") == "int32" and not -_INT32 <= value < _INT32:
        yield Complaint(message=f"is {value}, more than 32 bits hold", fix="write a smaller number")


def _of_list(value: Sequence[Any], schema: Schema) -> Iterator[Complaint]:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if isinstance(least, int) and len(value) < least:
        yield Complaint(message=f"has {counted(len(value), 'entry')}, and needs {least}", fix="add some")
    if isinstance(most, int) and len(value) > most:
        yield Complaint(message=f"has {counted(len(value), 'entry')}, and may have {most}", fix="remove some")


def _of_mapping(value: Mapping[str, Any], schema: Schema) -> Iterator[Complaint]:
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if isinstance(least, int) and len(value) < least:
        yield Complaint(message=f"has {len(value)} fields, and needs {least}", fix="add one")
    if isinstance(most, int) and len(value) > most:
        yield Complaint(message=f"has {len(value)} fields, and may have {most}", fix="remove some")
    for name in sequence(schema.get("required")):
        if isinstance(name, str) and name not in value:
            yield Complaint(message="is missing", fix=f"set {name}", steps=(name,))


def _of_choices(value: Any, schema: Schema, depth: int) -> Iterator[Complaint]:
    for option in map(mapping, sequence(schema.get("allOf"))):
        yield from _nested(value, option, depth)
    for word in ("anyOf", "oneOf"):
        options = [mapping(option) for option in sequence(schema.get(word))]
        fitting = sum(_fits(value, option, depth) for option in options)
        if options and not fitting:
            yield _none_fits(value, options, depth)
        elif word == "oneOf" and fitting > 1:
            yield Complaint(
                message=f"fits {fitting} of the choices of its schema, and may fit one", fix=_choice_fix(options)
            )
    if isinstance(schema.get("not"), Mapping) and _fits(value, schema["not"], depth):
        yield Complaint(message="has what its schema excludes", fix=_choice_fix([schema["not"]]) or "read the schema")


def _none_fits(value: Any, options: Sequence[Schema], depth: int) -> Complaint:
    if all(set(option) <= {"required"} for option in options):
        return Complaint(message="has none of the fields of which it needs one", fix=_choice_fix(options))
    reasons = [next(_nested(value, option, depth), None) for option in options]
    first = next((reason for reason in reasons if reason), None)
    hint = f" (the first: {'.'.join(map(str, first.steps))} {first.message})" if first else ""
    return Complaint(
        message=f"fits none of the choices of its schema{hint}", fix=_choice_fix(options) or "read the schema"
    )


def _choice_fix(options: Sequence[Schema]) -> str:
    names = sorted({name for option in options for name in sequence(option.get("required")) if isinstance(name, str)})
    return f"set the right ones of {', '.join(names[:_MANY])}" if names else "read the schema of the CRD"


def _fits(value: Any, schema: Schema, depth: int) -> bool:
    return next(_nested(value, schema, depth), None) is None


def _nested(value: Any, schema: Schema, depth: int) -> Iterator[Complaint]:
    """The complaints of a schema within a choice, which has no structure of its own: what is below is read here."""
    if depth > _DEEPEST:
        return
    kind = schema.get("type")
    if isinstance(kind, str) and not is_type(value, kind):
        yield Complaint(message=f"is not of type {kind}", fix=f"write a value of type {kind}")
        return
    yield from complaints(value, schema, depth + 1)
    below: Iterator[tuple[Step, Any, Any]] = iter(())
    if isinstance(value, dict):
        properties, others = mapping(schema.get("properties")), schema.get("additionalProperties")
        below = ((name, inner, properties.get(name, others)) for name, inner in value.items())
    elif isinstance(value, list):
        below = chain((number, entry, schema.get("items")) for number, entry in enumerate(value))
    for step, inner, inner_schema in below:
        if isinstance(inner_schema, Mapping):
            for complaint in _nested(inner, inner_schema, depth + 1):
                yield Complaint(message=complaint.message, fix=complaint.fix, steps=(step, *complaint.steps))


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_integer(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


_CHOICES: Final = frozenset({"allOf", "anyOf", "not", "oneOf"})
_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": lambda value: _number(value) is not None,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}
