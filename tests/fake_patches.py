"""Patches as the fake cluster applies them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from tests.field_ownership import Tree


def merged(live: Any, patch: Any) -> Any:
    """The object after a merge patch (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    result = dict(live) if isinstance(live, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def operated(live: Tree, patch: object) -> Tree:
    """The object after the operations of a JSON patch (RFC 6902): add, remove, replace and test.

    Raises:
        ValueError: for one that cannot be done.
    """
    assert isinstance(patch, Sequence)
    for operation in patch:
        *path, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
        inner: Any = live
        try:
            for step in path:
                inner = inner[int(step)] if isinstance(inner, list) else inner[step]
            _change(inner, last, operation)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"the patch cannot be applied: {operation}") from error
    return live


def _change(inner: Any, last: str, operation: Mapping[str, Any]) -> None:
    key: Any = (len(inner) if last == "-" else int(last)) if isinstance(inner, list) else last
    match operation["op"]:
        case "add" if isinstance(inner, list):
            inner.insert(key, operation["value"])
        case "add":
            inner[key] = operation["value"]
        case "replace":
            inner[key] = operation["value"] if inner[key] is not None else None
        case "remove":
            del inner[key]
        case "test":
            if inner[key] != operation["value"]:
                raise ValueError(operation)
        case other:
            raise ValueError(other)
