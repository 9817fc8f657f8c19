"""Objects with another value at one place, and values of any type for such places."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

REMOVED = object()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def changed(original: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """An object with another value at a path such as ``spec/ports/0/name``; `REMOVED` takes the field out."""
    body = copy.deepcopy(dict(original))
    *above, last = path.split("/")
    inner: Any = body
    for name in above:
        inner = inner[int(name)] if isinstance(inner, list) else inner.setdefault(name, {})
    if isinstance(inner, list):
        inner[int(last) :] = [value]
    elif value is REMOVED:
        del inner[last]
    else:
        inner[last] = value
    return body


def paths(value: Any, path: str = "") -> list[str]:
    """The paths of a value and of everything in it."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(below for key, inner in entries for below in paths(inner, f"{path}/{key}" if path else str(key)))]
