"""What variables of conditions stand for: the part of JMESPath that policies use for fields of an object.

``{{ request.object.spec.[initContainers, containers][].securityContext.capabilities.add[] }}``, ``{{ a.b || 'x' }}``.
Functions, filters and other data are not known: a condition with them is not evaluated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.cel.errors import UnsupportedError

_VARIABLE: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_STEP: Final = re.compile(r"\.?(?:([A-Za-z_]\w*)|\"([^\"]+)\"|\[(\d+)\]|\[([\w\s,]+)\]|(\[\]|\[\*\]))")
_LITERAL: Final = re.compile(r"'([^']*)'|`([^`]*)`")
_LONGEST: Final = 2_000


def resolved(value: Any, names: Mapping[str, Any]) -> Any:
    """A value of a condition with what its variables stand for.

    Raises:
        UnsupportedError: for a variable that is not known here.
    """
    if isinstance(value, list):
        return [resolved(entry, names) for entry in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    match = _VARIABLE.fullmatch(value.strip())
    if not match or "{{" in match[1] or len(value) > _LONGEST:
        raise UnsupportedError(f"variables within text: {value[:80]!r}")
    return _alternatives(match[1].strip(), names)


def _alternatives(text: str, names: Mapping[str, Any]) -> Any:
    """The first alternative that is there: ``a || 'b'``."""
    result = None
    for part in text.split("||"):
        result = _value(part.strip(), names)
        if result not in (None, "", [], {}, False):
            return result
    return result


def _value(text: str, names: Mapping[str, Any]) -> Any:
    literal = _LITERAL.fullmatch(text)
    if literal:
        if literal[1] is not None:
            return literal[1]
        try:
            return json.loads(literal[2])
        except ValueError as error:
            raise UnsupportedError(f"the literal {text[:80]!r}") from error
    return _path(text, names)


def _path(text: str, names: Mapping[str, Any]) -> Any:
    place, is_projected = 0, False
    result: Any = names
    while place < len(text):
        step = _STEP.match(text, place)
        if not step or not (place or step[1]):
            raise UnsupportedError(f"the variable {text[:80]!r}")
        if not place and step[1] not in names:
            raise UnsupportedError(f"the variable {text[:80]!r}")
        result, is_projected = _next(result, step, is_projected=is_projected)
        place = step.end()
    return result


def _next(value: Any, step: re.Match[str], *, is_projected: bool) -> tuple[Any, bool]:
    name, quoted, place, several, flat = step.groups()
    if flat:
        entries = value if isinstance(value, list) else []
        if flat == "[*]":
            return entries, True
        return [
            one for entry in entries for one in (entry if isinstance(entry, list) else [entry]) if one is not None
        ], True
    if is_projected:
        members = [_member(entry, name or quoted, several, place) for entry in value]
        return [member for member in members if member is not None], True
    return _member(value, name or quoted, several, place), False


def _member(value: Any, name: str | None, several: str | None, place: str | None) -> Any:
    if several:
        if not isinstance(value, Mapping):
            return None
        return [value.get(part.strip()) for part in several.split(",")]
    if place:
        return value[int(place)] if isinstance(value, list) and int(place) < len(value) else None
    return value.get(name) if isinstance(value, Mapping) else None
