"""Merging mappings as Helm merges values: mappings merge, lists and scalars replace, null removes.

A null stays in the result. In Helm values it is passed on to Helm, which then drops the chart's default
(``chartutil.CoalesceValues``); in a description it is dropped at the end (`without_nulls`). A later layer replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from types import MappingProxyType
from typing import Any, Final

from cluster_forge.stack.component import NullPlace, Values
from cluster_forge.yaml.positioned import Positioned

_WITH_NULLS: Final = ("values", "patch", "vars")
"""Keys whose nulls mean something: to Helm, in a strategic merge patch, and for a variable without a value."""
_SIZES: Final = "sizes"
_RESOURCES: Final = "resources"
_AMOUNTS: Final = ("requests", "limits")
"""Keys of a container in ``resources`` in which null takes away what the container has."""


def values(*layers: Values) -> dict[str, Any]:
    """The merged Helm values; later layers win. The layers are not changed."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _plain(merged, layer)
    return merged


def null_places(layers: Iterable[Positioned]) -> tuple[NullPlace, ...]:
    """Where a layer sets a value to null; for the same value, the later layer wins."""
    places = {keys: where for layer in layers for keys, where in _nulls(layer, ())}
    return tuple(NullPlace(keys=keys, where=where) for keys, where in places.items())


def positioned(*layers: Positioned) -> Positioned:
    """The same for positioned values; every part keeps its position.

    Raises:
        TypeError: without any layer.
    """
    return reduce(_over, layers)


def joined(below: Positioned, top: Positioned, identity: Callable[[Positioned], object]) -> Positioned:
    """The items of both lists. An item of ``top`` replaces the one of ``below`` with an equal ``identity`` (not None)."""
    replacing = {key: item for item in top.items if (key := identity(item)) is not None}
    items = [replacing.pop(identity(item), item) for item in below.items]
    taken = {id(item) for item in items}
    return replace(top, content=(*items, *(item for item in top.items if id(item) not in taken)))


def without_nulls(description: Positioned) -> Positioned:
    """The description without null members; in Helm values, patches, variables and amounts of ``resources`` they stay."""
    if isinstance(description.content, tuple):
        return replace(description, content=tuple(without_nulls(item) for item in description.content))
    if not isinstance(description.content, Mapping):
        return description
    return _with_members(description, _kept)


def _with_members(holder: Positioned, kept: Callable[[str, Positioned], Positioned]) -> Positioned:
    """A mapping without its null members, and with what ``kept`` makes of each other one; anything else as it is."""
    present = {key: member for key, member in holder.mapping.items() if member.content is not None}
    content = MappingProxyType({key: kept(key, member) for key, member in present.items()})
    return replace(holder, content=content) if isinstance(holder.content, Mapping) else holder


def _kept(key: str, member: Positioned) -> Positioned:
    if key == _SIZES:
        return _with_members(member, lambda _, values: values)
    if key == _RESOURCES:
        return _with_members(member, lambda _, container: _with_members(container, _amounts))
    return member if key in _WITH_NULLS else without_nulls(member)


def _amounts(key: str, member: Positioned) -> Positioned:
    return member if key in _AMOUNTS else without_nulls(member)


def _nulls(part: Positioned, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, member in part.mapping.items():
        if member.content is None:
            yield (*keys, key), member.where
        else:
            yield from _nulls(member, (*keys, key))


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
