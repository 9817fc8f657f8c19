"""The description's components over the catalog's: which lists are joined, and the description with both written out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final

from cluster_forge.stack import merge
from cluster_forge.yaml.positioned import Positioned

_JOINED: Final = ("needs", "objects", "secrets")
"""Lists of a catalog component that the description adds to. Merged as Helm does, an added object would silently remove
the budgets, routes and Secrets of the catalog, which the user has never seen. An empty list still removes all of them."""


def overlaid(catalog: tuple[Positioned, ...], own: Iterable[Positioned]) -> tuple[Positioned, ...]:
    """The catalog's layers of a component under the description's, lowest first."""
    layers = catalog
    for layer in own:
        below = merge.positioned(*layers)
        identity = partial(_identity, namespace=layer.string_of("namespace") or below.string_of("namespace"))
        lists = {
            key: merge.joined(there, member, identity)
            for key in _JOINED
            if (member := layer.get(key)) and (there := below.get(key)) and member.items
        }
        layers = (*layers, replace(layer, content=MappingProxyType({**layer.mapping, **lists})))
    return layers


def written_out(description: Positioned, components: Iterable[Positioned]) -> Positioned:
    """The description with ``components`` in full, and without the definitions and catalogs that they came from."""
    members = dict(description.mapping)
    members["components"] = Positioned(tuple(components), description.file, description.line)
    whole = replace(description, content=MappingProxyType(members))
    return whole.without("define", "collections", "catalogs")


def _identity(item: Positioned, namespace: str) -> object:
    """What makes two objects, Secrets or needs the same; None for an item without a name."""
    named = item.get("metadata") or item
    group = item.string_of("apiVersion").rpartition("/")[0]
    name = item.string or named.string_of("name")
    return (group, item.string_of("kind"), named.string_of("namespace") or namespace, name) if name else None
