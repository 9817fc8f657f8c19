"""What components of the catalog create at run time, so that no manifest has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cluster_forge.catalog.component_format import CatalogComponent, Operates
from cluster_forge.catalog.library import Library
from cluster_forge.checks.inventory import Place
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stack.operated_kind import OperatedKind, OperatedPods


def operated_kinds(operates: Sequence[Operates]) -> tuple[OperatedKind, ...]:
    """The ``operates`` of components' files, for checks."""
    return tuple(
        OperatedKind(
            group=operated.group,
            kind=operated.kind,
            services=tuple(operated.services),
            secrets=tuple(operated.secrets),
            pods=tuple(OperatedPods(**pods.model_dump()) for pods in operated.pods),
        )
        for operated in operates
    )


def kinds_in(stack: Stack, library: Library) -> tuple[OperatedKind, ...]:
    """The kinds for which operators of the stack create objects."""
    return tuple(kind for _, known in _known(stack, library) for kind in operated_kinds(known.operates))


def secrets_in(stack: Stack, library: Library) -> frozenset[Place]:
    """The Secrets that programs of the stack create themselves."""
    return frozenset(
        (component.namespace, name) for component, known in _known(stack, library) for name in known.makes_secrets
    )


def named_in_values(stack: Stack, library: Library) -> frozenset[Place]:
    """The Secrets that the catalog's own values name, so that other values may name another one instead.

    A program may also read a Secret by a fixed name, which no value has.
    """
    return frozenset(
        (secret.namespace, secret.name)
        for component, known in _known(stack, library)
        for secret in component.secrets
        if secret.name in _values_text(known)
    )


def _values_text(known: CatalogComponent) -> str:
    values = known.model_dump(include={"values", "sizes", "versions"})
    return repr((values, [wiring.model_dump(exclude={"secrets"}) for wiring in known.wiring]))


def _known(stack: Stack, library: Library) -> Iterator[tuple[Component, CatalogComponent]]:
    names = set(library.names)
    yield from (
        (component, library.component(component.name)) for component in stack.components if component.name in names
    )
