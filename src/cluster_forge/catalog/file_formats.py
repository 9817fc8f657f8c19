"""The formats of a catalog's files: those beside the components, and the JSON Schemas of all.

Importing this module loads pydantic, as `stack.schema.key_types` does.
"""

from __future__ import annotations

from cluster_forge.catalog.component_format import CatalogComponent, SizeName
from cluster_forge.stack.schema.key_types import Schema, Text


class Capability(Schema):
    """Something that several components can provide."""

    title: Text
    """What it is."""
    providers: list[Text]
    """The components that provide it, the preferred one first."""
    sizes: dict[SizeName, list[Text]] = {}
    """The order for a size, if it differs."""


class Distribution(Schema):
    """A distribution of Kubernetes, recognized by its version, and what it brings."""

    title: Text
    """Its name."""
    version: Text
    """A part of its versions, after the patch number: `+k3s`."""
    provides: list[Text]
    """The capabilities that its clusters have unless they were switched off."""


class CatalogCollection(Schema):
    """A name for several components and collections."""

    title: Text
    """Its title in lists."""
    description: Text
    """What it is for, in one sentence."""
    members: list[Text]
    """Names of components or collections."""


SCHEMAS = {
    "component.schema.json": ("Cluster-Forge catalog component", CatalogComponent),
    "collections.schema.json": ("Cluster-Forge catalog collections", dict[str, CatalogCollection]),
    "capabilities.schema.json": ("Cluster-Forge catalog capabilities", dict[str, Capability]),
    "distributions.schema.json": ("Cluster-Forge catalog distributions", dict[str, Distribution]),
}
"""Titles and models of a catalog's files, by the names of their JSON Schemas (`stack.json_schemas`)."""
