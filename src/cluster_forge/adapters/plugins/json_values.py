"""Whether what a plug-in gave is JSON: any Python value may come."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

_DEEPEST: Final = 100
"""Levels of a value: deeper ones are mostly such that contain themselves. Kubernetes' own limit is 10,000."""
_LARGEST: Final = 1 << 63
"""Kubernetes' integers have 64 bits."""


class NotJsonError(Exception):
    """Where it is not, and why."""


def plain(value: Any, path: str = "", depth: int = 0) -> Any:
    """The value with mappings as dicts and sequences as lists.

    Raises:
        NotJsonError: for anything that is not JSON.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        return _integer(value, path)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotJsonError(f"{_shown(path)} is {value}, which JSON does not have")
        return value
    if depth >= _DEEPEST:
        raise NotJsonError(f"{_shown(path[:80])}… is nested deeper than {_DEEPEST} levels")
    if isinstance(value, Mapping):
        return {
            _key(key, path): plain(item, f"{path}.{key}" if path else str(key), depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    raise NotJsonError(f"{_shown(path)} is of the type {type(value).__name__}, which JSON does not have")


def _key(key: Any, path: str) -> str:
    if not isinstance(key, str):
        raise NotJsonError(
            f"a key of {_shown(path)} is of the type {type(key).__name__}: {str(key)[:40]!r} must be text"
        )
    return _text(key, path)


def _text(value: str, path: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise NotJsonError(f"{_shown(path)} has a character that UTF-8 does not have") from error
    return str(value)


def _integer(value: int, path: str) -> int:
    if not -_LARGEST <= value < _LARGEST:
        raise NotJsonError(f"{_shown(path)} is an integer of more than 64 bits")
    return int(value)


def _shown(path: str) -> str:
    return path or "it"
