"""Checks positioned values against a schema; each error has its position and plain words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.foundation.names import counted, did_you_mean
from cluster_forge.stack.schema.other_tools import OTHER_NAMES, WITHOUT_EQUIVALENT
from cluster_forge.stack.variables import references
from cluster_forge.yaml.positioned import Path, Positioned

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "union_tag_invalid": "a name or a mapping",
    "union_tag_not_found": "a name or a mapping",
}


_LINES: Final = MappingProxyType({"apiVersion": "add `apiVersion: cluster-forge/v1`", "kind": "add `kind: Stack`"})
"""What to write for keys that every description has."""

_NAME: Final = re.compile(r"[\w./-]+")
_MOST_ERRORS = 100
"""Of one value: looking for a similar key takes a while, and a file may have a hundred thousand wrong ones."""

Model = TypeVar("Model", bound=BaseModel)


IsReported = Callable[[str, Path], bool]
"""Whether an error is reported, by pydantic's name of its type and its path in the value."""


def schema_errors(
    model: type[BaseModel], value: Positioned, subject: str = "", is_reported: IsReported = lambda _type, _path: True
) -> list[DescriptionError]:
    """Why ``value`` does not fit ``model``; ``subject`` is what the value describes: a component's name."""
    try:
        model.model_validate(value.plain)
    except ValidationError as error:
        details = [
            detail
            for detail in error.errors(include_url=False)
            if is_reported(detail["type"], _path(value, detail["loc"]))
        ]
        errors = [_error(model, value, detail, subject) for detail in details[:_MOST_ERRORS]]
        if len(details) > _MOST_ERRORS:
            errors.append(_remaining(len(details) - _MOST_ERRORS, value, subject))
        return list({(error.where, error.message): error for error in errors}.values())
    return []


def validated(model: type[Model], value: Positioned) -> Model | None:
    """``value`` as ``model``; None if it does not fit."""
    try:
        return model.model_validate(value.plain)
    except ValidationError:
        return None


def _remaining(number: int, value: Positioned, subject: str) -> DescriptionError:
    message = f"{counted(number, 'more error')} of this kind"
    return DescriptionError(
        f"{subject}: {message}" if subject else message, where=value.where, fix="fix the errors above first"
    )


def _error(model: type[BaseModel], value: Positioned, detail: ErrorDetails, subject: str) -> DescriptionError:
    path = _path(value, detail["loc"])
    part = value.at(path)
    message, fix = _words(model, part, path, detail)
    place = _dotted(path[:-1] if detail["type"] in ("extra_forbidden", "missing") else path, subject)
    return DescriptionError(f"{place}: {message}" if place else message, where=part.where, fix=fix)


def _words(model: type[BaseModel], part: Positioned, path: Path, detail: ErrorDetails) -> tuple[str, str | None]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        return _choice(part, str(context["expected"])), None
    last = str(path[-1]) if path else ""
    if kind in _KINDS:
        fix = _key_fix(part, last) or _type_fix(part, _KINDS[kind])
        if kind == "dict_type":
            fix = fix or _mapping_fix(part, last)
        return f"must be {_KINDS[kind]}, not {_shown(part)}", fix
    if kind == "extra_forbidden":
        return _unknown_key(model, last, path[:-1])
    if kind == "value_error":
        return str(context.get("error")), getattr(context.get("error"), "fix", None)
    messages = {
        "missing": f"{last!r} is missing",
        "too_short": "must not be an empty list",
        "too_long": f"must have at most {context.get('max_length')} entries",
        "greater_than_equal": f"must be at least {context.get('ge')}",
    }
    return messages.get(kind, detail["msg"].lower()), _LINES.get(last) if kind == "missing" else None


def _unknown_key(model: type[BaseModel], key: str, inside: Path) -> tuple[str, str | None]:
    """A key of another level is usually indented too far, or not far enough; one of another tool has a name of its own."""
    message = f"unknown key {key!r}"
    known = _keys(model, inside)
    above = _keys(model, inside[:-1]) if inside else []
    if key in above and isinstance(inside[-1], str):
        return message, f"indent `{key}` as far as `{inside[-1]}`: it belongs beside it, not in it"
    for name in (key, *OTHER_NAMES.get(key, ())):
        if name in known:
            return message, f"write `{name}` instead of `{key}`"
        for place, sections in ((inside, known), (inside[:-1], above)):
            section = next((section for section in sections if name in _keys(model, (*place, section))), None)
            if section:
                return message, f"write `{name}` below `{section}`: `{section}: {{{name}: …}}`"
    listed = next((section for section in known if key in _keys(model, (*inside, section, 0))), None)
    if listed:
        return message, f"write `{key}` in each entry of `{listed}` that it is for"
    if key in WITHOUT_EQUIVALENT:
        return message, WITHOUT_EQUIVALENT[key]
    return f"{message}{did_you_mean(key, known)}", None


def _choice(part: Positioned, expected: str) -> str:
    choices = [choice.strip("'") for choice in expected.replace(" or ", ", ").split(", ")]
    near = did_you_mean(part.content, choices) if isinstance(part.content, str) else ""
    wanted = f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
    return f"must be {wanted}, not {_shown(part)}{near}"


def _shown(part: Positioned) -> str:
    if isinstance(part.content, Mapping):
        return "a mapping"
    if isinstance(part.content, tuple):
        return "a list"
    if part.content is None:
        return "empty"
    if isinstance(part.content, str):
        return repr(part.content)
    kind = "the boolean" if isinstance(part.content, bool) else "the number"
    return f"{kind} {part.text or part.content}"


def _key_fix(part: Positioned, key: str) -> str | None:
    """The line to write for a text where a chart or values are expected."""
    if key == "helm" and part.string:
        return f"write `helm: {{chart: {part.string}}}`"
    if key == "values" and part.string:
        return f"write `valuesFiles: [{part.string}]`: `values` has the values themselves"
    return None


def _mapping_fix(part: Positioned, key: str) -> str:
    """The line to write where the names alone are listed, as of ``keys`` or ``labels``."""
    names = [item.string or "" for item in part.items] if isinstance(part.content, tuple) else [part.string or ""]
    value = "what it is" if key == "keys" else "…"
    pairs = ", ".join(f"{name}: {value}" for name in names if _NAME.fullmatch(name)) or f"NAME: {value}"
    return f"write a mapping: `{key}: {{{pairs}}}`"


def _type_fix(part: Positioned, wanted: str) -> str | None:
    if wanted == "text" and isinstance(part.content, bool | int | float):
        return f'put it in quotes: "{part.text or part.content}"'
    if wanted == "a list" and isinstance(part.content, Mapping):
        name = next(iter(part.content), "NAME")
        is_named = all(inner.mapping or inner.content is None for inner in part.mapping.values())
        return f"write a list: `- name: {name}` with its settings below `name`" if is_named else "write a list: `- …`"
    if wanted == "a list" and isinstance(part.content, str):
        return f"write it as a list: [{part.content}]"
    if isinstance(part.content, str):
        if references.are_in(part.content):
            return "declare what it refers to in `vars`: without that section, `${…}` is text"
        is_number = wanted == "a whole number" and re.fullmatch(r"-?\d+", part.content)
        is_boolean = wanted == "true or false" and part.content in ("true", "false")
        return "write it without quotes" if is_number or is_boolean else None
    return None


def _path(value: Positioned, location: Sequence[int | str]) -> Path:
    """The path of the error in the value: pydantic puts the tags of unions between the keys."""
    path: list[int | str] = []
    part = value
    last = len(location) - 1
    for position, step in enumerate(location):
        inner = part.at((step,)) if step != "[key]" else part
        if inner is not part:
            path.append(step)
            part = inner
        elif position == last and isinstance(part.content, Mapping) and step != "[key]":
            path.append(step)
    return tuple(path)


def _dotted(path: Path, subject: str) -> str:
    dotted = subject
    for step in path:
        dotted += f"[{step}]" if isinstance(step, int) else f".{step}" if dotted else step
    return dotted


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that the model allows at ``path``."""
    current: Any = model
    for step in path:
        if isinstance(step, str) and isinstance(current, type) and issubclass(current, BaseModel):
            current = next((field.annotation for field in current.model_fields.values() if field.alias == step), None)
        else:
            current = next(iter(get_args(current)[::-1]), None)
        current = _model_in(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [field.alias or name for name, field in current.model_fields.items()]
    return []


def _model_in(annotation: Any) -> Any:
    """The model in a union or an annotation; containers as they are."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _model_in(get_args(annotation)[0])
    if origin in (Union, UnionType):
        inner = [_model_in(choice) for choice in get_args(annotation)]
        return next(
            (choice for choice in inner if isinstance(choice, type) and issubclass(choice, BaseModel)), inner[0]
        )
    return annotation
