"""The values of single fields: whether one is of its type, and what to write instead.

Sources: Kubernetes, ``api/openapi-spec``; apimachinery, ``resource.Quantity``, ``intstr.IntOrString``, ``metav1.Time``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from cluster_forge.checks.kubernetes_objects.problem import Problem
from cluster_forge.foundation import quantity
from cluster_forge.manifests.field_path import Step
from cluster_forge.manifests.kubernetes_schemas import FIELDS_OF, LIST, MAPPING

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z")
_LIMITS: Final = {"int32": 1 << 31, "int64": 1 << 63}
_WORDS: Final = {
    "string": "text",
    "int32": "a whole number",
    "int64": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "bytes": "text in Base64",
    "time": "a time such as 2026-01-31T12:00:00Z",
    "micro-time": "a time such as 2026-01-31T12:00:00.000000Z",
    "quantity": "a quantity such as 500m, 64Mi or 2",
    "int-or-string": "a whole number or text",
    "object": "a mapping",
    FIELDS_OF: "a mapping",
    MAPPING: "a mapping",
    LIST: "a list",
}


def wrong(value: Any, kind: str, steps: tuple[Step, ...]) -> Problem:
    """What is said of a value that is not of type ``kind``. It is not shown: it may be a secret."""
    name = next((step for step in reversed(steps) if isinstance(step, str)), "the object")
    is_scalar = isinstance(value, str | int | float)
    if kind == "string" and is_scalar:
        fix = "write it in quotes"
    elif kind in ("int32", "int64", "number", "boolean") and isinstance(value, str) and _is_meant(value, kind):
        fix = "write it without quotes"
    else:
        fix = f"write {_WORDS[kind]}"
    return Problem(steps=steps, message=f"{name} must be {_WORDS[kind]}, and is {_word(value, kind)}", fix=fix)


def _is_meant(value: str, kind: str) -> bool:
    return value in ("true", "false") if kind == "boolean" else value.lstrip("-").isdecimal()


def _word(value: Any, kind: str) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return (
                f"a number below -{_LIMITS[kind]:,} or above {_LIMITS[kind] - 1:,}"
                if _is_whole(value, kind)
                else "a number"
            )
        case str():
            return "other text" if kind in ("bytes", "time", "micro-time", "quantity") else "text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return "null"


def _is_whole(value: float, kind: str) -> bool:
    return kind in _LIMITS and float(value).is_integer()


def _is_int(limit: int) -> Callable[[Any], bool]:
    def is_int(value: Any) -> bool:
        if type(value) is int:
            return -limit <= value < limit
        return type(value) is float and value.is_integer() and -limit <= value < limit

    return is_int


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_base64(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except ValueError:
        return False
    return True


def _is_quantity(value: Any) -> bool:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return False
    try:
        quantity.parse(value)
    except ValueError:
        return False
    return True


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and bool(_TIME.match(value))


def _is_int_or_string(value: Any) -> bool:
    return isinstance(value, str) or _is_int(1 << 31)(value)


SCALARS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "int32": _is_int(1 << 31),
    "int64": _is_int(1 << 63),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "bytes": _is_base64,
    "time": _is_time,
    "micro-time": _is_time,
    "quantity": _is_quantity,
    "int-or-string": _is_int_or_string,
    "object": lambda value: isinstance(value, dict),
}
"""For each type whether a value is of it."""
