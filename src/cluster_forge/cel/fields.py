"""Members of values: fields, keys and entries.

Names of properties that CEL does not take as names are escaped: ``__dash__`` for ``-``, ``__namespace__`` for a reserved word
(Kubernetes API, ``JSONSchemaProps.x-kubernetes-validations``, "Escaping").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from cluster_forge.cel.errors import EvaluationError, NoSuchKeyError
from cluster_forge.cel.values import NONE, Optional, some, type_name

_ESCAPE: Final = re.compile(r"__([^_]+)__")
_CHARACTERS: Final = {"underscores": "__", "dot": ".", "dash": "-", "slash": "/"}


def of(operand: object, name: str) -> Any:
    """``operand.name``."""
    if isinstance(operand, Mapping):
        key = _key(operand, name)
        if key is not None:
            return operand[key]
        raise NoSuchKeyError(f"no such key: {name}")
    if isinstance(operand, Optional):
        return optional(operand, name)
    raise EvaluationError(f"{type_name(operand)} has no field {name!r}")


def test(operand: object, name: str) -> bool:
    """``has(operand.name)``."""
    if isinstance(operand, Mapping):
        return _key(operand, name) is not None
    if isinstance(operand, Optional):
        return operand.is_present and test(operand.value, name)
    raise EvaluationError(f"{type_name(operand)} has no field {name!r}")


def optional(operand: object, name: str) -> Optional:
    """``operand.?name``."""
    if isinstance(operand, Optional):
        return optional(operand.value, name) if operand.is_present else NONE
    return some(of(operand, name)) if test(operand, name) else NONE


def item(operand: object, index: object) -> Any:
    """``operand[index]``."""
    if isinstance(operand, list | tuple):
        place = _place(index)
        if not 0 <= place < len(operand):
            raise NoSuchKeyError(f"no entry {place}")
        return operand[place]
    if isinstance(operand, Mapping):
        key = _plain(index)
        if key in operand:
            return operand[key]
        raise NoSuchKeyError(f"no such key: {index}")
    if isinstance(operand, Optional):
        return optional_item(operand, index)
    raise EvaluationError(f"{type_name(operand)} has no entries")


def optional_item(operand: object, index: object) -> Optional:
    """``operand[?index]``."""
    if isinstance(operand, Optional):
        return optional_item(operand.value, index) if operand.is_present else NONE
    try:
        return some(item(operand, index))
    except NoSuchKeyError:
        return NONE


def property_name(name: str) -> str:
    """The property that an escaped name stands for."""
    return _ESCAPE.sub(lambda match: _CHARACTERS.get(match[1], match[1]), name) if "__" in name else name


def _key(operand: Mapping[Any, Any], name: str) -> str | None:
    """The key that a name stands for, if it is there."""
    if name in operand:
        return name
    plain = property_name(name)
    return plain if plain in operand else None


def _place(index: object) -> int:
    if isinstance(index, float) and index.is_integer():
        return int(index)
    if isinstance(index, int) and not isinstance(index, bool):
        return index
    raise EvaluationError(f"{type_name(index)} is not the place of an entry")


def _plain(index: object) -> Any:
    if isinstance(index, str | int | float):
        return index
    raise EvaluationError(f"{type_name(index)} is not a key")
