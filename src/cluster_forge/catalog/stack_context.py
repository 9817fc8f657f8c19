"""A stack as its catalog components see it: what else is in it, and what the cluster provides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cluster_forge.catalog.component_format import CatalogComponent, Conditions, Version
    from cluster_forge.stack.model import Target

DOMAIN: Final = "domain"
"""The capability that ``target.domain`` provides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackComponent:
    """A catalog component in a stack: its version for the target, its namespace and its release."""

    component: CatalogComponent
    version: Version
    namespace: str
    release: str

    @property
    def name(self) -> str:
        return self.component.name


@dataclass(frozen=True, slots=True, kw_only=True)
class StackContext:
    """The catalog components of a stack by name, and its target.

    ``cluster_provides`` are the capabilities that the cluster has already: they meet needs, but their addresses are
    unknown. ``preferred`` are the providers of each capability, the preferred one first.
    """

    target: Target
    components: Mapping[str, StackComponent]
    cluster_provides: frozenset[str] = frozenset()
    preferred: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def provider(self, name: str) -> StackComponent | None:
        """The component of that name, or the one that provides that capability."""
        if name in self.components:
            return self.components[name]
        order = dict.fromkeys((*self.preferred.get(name, ()), *self.components))
        candidates = (self.components[candidate] for candidate in order if candidate in self.components)
        return next((candidate for candidate in candidates if name in candidate.component.provides), None)

    def meets(self, conditions: Conditions) -> bool:
        """Whether something with these conditions applies in the stack."""
        return (
            self.target.size in conditions.sizes
            and all(map(self.has, conditions.all_of))
            and not any(map(self.has, conditions.none_of))
        )

    def has(self, name: str) -> bool:
        """Whether the stack or the cluster has a component or capability."""
        if name == DOMAIN:
            return bool(self.target.domain)
        return name in self.cluster_provides or self.provider(name) is not None
