"""Laying one mapping over another as Helm does with values: mappings merge, lists and scalars replace, null removes.

A null that is laid over something stays a null: of values it is handed to Helm, which then drops the chart's default
(``chartutil.CoalesceValues``); of a description it is dropped at the end (`without_nulls`). What is later laid over a
null replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.stack.model import Values
from cluster_forge.yaml.positioned import Positioned

_VALUES: Final = "values"
_SIZES: Final = "sizes"


def values(*layers: Values) -> dict[str, Any]:
    """Helm values, earliest first, in one; the layers stay as they are."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _plain(merged, layer)
    return merged


def positioned(*layers: Positioned) -> Positioned:
    """The same for values that know their places; every part keeps the place that it came from.

    Raises:
        TypeError: without a layer.
    """
    return reduce(_over, layers)


def joined(below: Positioned, top: Positioned, identity: Callable[[Positioned], object]) -> Positioned:
    """The items of both lists; one of ``top`` takes the place of an equal one of ``below``. None is equal to nothing."""
    left = {found: each for each in top.items if (found := identity(each)) is not None}
    items = [left.pop(identity(each), each) for each in below.items]
    taken = {id(each) for each in items}
    return replace(top, content=(*items, *(each for each in top.items if id(each) not in taken)))


def without_nulls(description: Positioned) -> Positioned:
    """The description without members that are null; inside of Helm values they stay."""
    if isinstance(description.content, tuple):
        return replace(description, content=tuple(without_nulls(item) for item in description.content))
    if not isinstance(description.content, Mapping):
        return description
    kept = {key: member for key, member in description.content.items() if member.content is not None}
    return replace(description, content=MappingProxyType({key: _kept(key, member) for key, member in kept.items()}))


def _kept(key: str, member: Positioned) -> Positioned:
    if key == _SIZES:
        sizes = {size: values for size, values in member.mapping.items() if values.content is not None}
        return replace(member, content=MappingProxyType(sizes)) if member.mapping else member
    return member if key == _VALUES else without_nulls(member)


def _plain(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = {key: _copy(value) for key, value in base.items()}
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = (
            _plain(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else _copy(value)
        )
    return merged


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value


def _over(base: Positioned, top: Positioned) -> Positioned:
    if not isinstance(base.content, Mapping) or not isinstance(top.content, Mapping):
        return top
    merged = dict(base.content)
    for key, member in top.content.items():
        below = merged.get(key)
        merged[key] = member if below is None else _over(below, member)
    return replace(top, content=MappingProxyType(merged))
