"""Clusters with variables of their own: for each, the stack is cast as for an environment that is called like the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.stack import named_lists
from cluster_forge.yaml.positioned import Positioned

VARIABLES = "variables"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterVariant:
    """A cluster with ``variables``: the stack of its ``environment`` (empty: of none), with these."""

    environment: str
    variables: Mapping[str, Positioned]


def of(name: str | None, layers: Sequence[Positioned]) -> ClusterVariant | None:
    """The cluster of that name in the layers of a description; None if there is none with variables."""
    for entry in _with_variables(layers) if name else ():
        if entry.string_of("name") == name:
            return ClusterVariant(environment=entry.string_of("environment"), variables=entry.at((VARIABLES,)).mapping)
    return None


def names(layers: Sequence[Positioned]) -> tuple[str, ...]:
    """The clusters with variables."""
    return tuple(entry.string_of("name") for entry in _with_variables(layers))


def ambiguous(layers: Sequence[Positioned], environments: Sequence[str]) -> Iterator[DescriptionError]:
    """Errors for clusters with variables that are called like an environment."""
    for entry in _with_variables(layers):
        name = entry.string_of("name")
        if name in environments:
            yield DescriptionError(
                f"clusters: {name!r} has variables, so `--environment {name}` stands for it, and an environment has the "
                "same name",
                where=entry.where,
                fix="rename one of the two, or move the variables into the environment",
            )


def _with_variables(layers: Sequence[Positioned]) -> Iterator[Positioned]:
    entries = (entry for layer in layers for entry in _clusters(layer))
    if any(VARIABLES in entry.mapping for entry in entries):
        whole = named_lists.composed(layers, []).description
        yield from (entry for entry in _clusters(whole) if entry.get(VARIABLES) and entry.at((VARIABLES,)).mapping)


def _clusters(description: Positioned) -> Sequence[Positioned]:
    listed = description.get("clusters")
    return listed.items if listed else ()
