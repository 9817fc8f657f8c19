"""A component's sources as locked, and the errors for those that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import LockError
from cluster_forge.ports.storage import Store
from cluster_forge.stack.component import Component
from cluster_forge.stack.lock import LockedSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentSources:
    """The locked sources of one component: its chart, its kustomization, and manifests by their URLs.

    ``dependencies`` are charts that belong into the chart, by their paths in it.
    """

    chart: LockedSource | None = None
    dependencies: Mapping[str, LockedSource] = field(default_factory=dict)
    kustomization: LockedSource | None = None
    manifests: Mapping[str, LockedSource] = field(default_factory=dict)

    @property
    def locked(self) -> tuple[LockedSource, ...]:
        """The chart and the kustomization, then dependencies by path and manifests by URL."""
        single = tuple(filter(None, (self.chart, self.kustomization)))
        by_name = (source for group in (self.dependencies, self.manifests) for _, source in sorted(group.items()))
        return (*single, *by_name)

    @property
    def digests(self) -> tuple[Digest, ...]:
        """The digests of `locked`, in its order."""
        return tuple(source.digest for source in self.locked)


def is_url(entry: str) -> bool:
    """Whether an entry of ``manifests`` is fetched, not read from ``input/``."""
    return "://" in entry


def has_sources(component: Component) -> bool:
    """Whether the component has a chart, a kustomization, or manifests by URL."""
    return component.helm is not None or component.kustomize is not None or any(map(is_url, component.manifests))


def sourced_folder(component: Component) -> str:
    """The folder of the sourced tree that `mine` writes, relative to ``input/``."""
    return f"{component.name}/manifests/sourced"


def not_locked(component: Component, address: str) -> LockError:
    """The error for a source that the lock does not have."""
    return LockError(
        f"component {component.name}: {address} is not in cluster-forge.lock",
        where=component.where,
        fix=f"run `cluster-forge mine {component.name}` (or `forge`, which mines what is missing)",
    )


def stored_content(component: Component, source: LockedSource, store: Store) -> bytes:
    """The bytes of a locked source.

    Raises:
        LockError: if the store of this machine does not have them.
    """
    content = store.get(source.digest)
    if content is None:
        raise LockError(
            f"component {component.name}: {source.address} {source.version} ({source.digest}) is not in the store",
            where=component.where,
            fix=f"run `cluster-forge mine {component.name}` on this machine",
        )
    return content
