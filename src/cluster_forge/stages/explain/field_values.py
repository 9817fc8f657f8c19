"""The single values in which two states of an object differ, by the paths of their fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cluster_forge.manifests import field_path
from cluster_forge.manifests.comparison import fields
from cluster_forge.manifests.manifest import Body

Values = Mapping[str, tuple[Any, Any]]
"""The value before and after, by path; None where there is none."""


def differing(before: Body, after: Body) -> Values:
    """Every value that differs; of a mapping that was added or removed each of its own."""
    return {
        path: values
        for change in fields.changes(before, after)
        for path, values in _single(change.path, change.before, change.after)
    }


def _single(path: str, before: Any, after: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    present = before if after is None else after
    is_whole = (before is None or after is None) and isinstance(present, Mapping) and present
    if not is_whole:
        yield path, (before, after)
        return
    for key, value in present.items():
        step = field_path.text((str(key),))
        inner = f"{path}{step}" if step.startswith("[") else f"{path}.{step}"
        yield from _single(inner, *((value, None) if after is None else (None, value)))
