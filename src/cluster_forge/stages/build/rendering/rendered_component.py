"""A component with its objects, and what its chart was rendered with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.remark import Remark
from cluster_forge.stack.component import Component
from cluster_forge.stages.build.rendering.component_sources import has_sources
from cluster_forge.stages.build.rendering.render_jobs import ObjectGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedComponent:
    """The objects of a component: ``sourced`` are those of its sources, ``own`` those of its entries in ``input/``.

    ``required_apis`` are the API versions that its chart asks for (None: any), ``visible_apis`` those of them that the
    stack's CRDs defined when it was rendered, ``remarks`` what was remarkable about it. ``reused_tree`` is the digest of the sourced tree that the sourced objects
    were read from, None if they were rendered.
    """

    component: Component
    sourced: tuple[ObjectGroup, ...] = ()
    own: tuple[ObjectGroup, ...] = ()
    required_apis: frozenset[str] | None = frozenset()
    visible_apis: frozenset[str] = frozenset()
    remarks: tuple[Remark, ...] = ()
    reused_tree: Digest | None = None

    @property
    def name(self) -> ComponentName:
        return self.component.name

    @property
    def groups(self) -> tuple[ObjectGroup, ...]:
        """All objects, the sourced ones first."""
        return (*self.sourced, *self.own)

    @property
    def sourced_count(self) -> int:
        """The number of sourced objects."""
        return sum(len(group.manifests) for group in self.sourced)

    @property
    def is_cached(self) -> bool:
        """Whether all sourced objects came from the cache."""
        return all(group.is_cached for group in self.sourced)

    @property
    def is_reused(self) -> bool:
        """Whether its sources were not rendered: the sourced tree or the cache had the objects."""
        return has_sources(self.component) and (self.reused_tree is not None or self.is_cached)


def visible_to(required_apis: frozenset[str] | None, visible_apis: Collection[str]) -> frozenset[str]:
    """The API versions among ``visible_apis`` that matter to a chart with ``required_apis``."""
    return frozenset(visible_apis) if required_apis is None else required_apis & frozenset(visible_apis)
