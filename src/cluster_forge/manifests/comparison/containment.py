"""Whether an object in a cluster has everything that is wanted: the API server adds defaults, and other writers their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_within(wanted: Any, live: Any) -> bool:
    """Whether ``live`` has every field of ``wanted`` with its value; a list has the same number of items."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(is_within(value, live.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list):
        same_length = isinstance(live, list) and len(live) == len(wanted)
        return same_length and all(is_within(*pair) for pair in zip(wanted, live, strict=True))
    return bool(wanted == live)
