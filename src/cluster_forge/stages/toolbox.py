"""What the stages work with: the ports that belong together, and the sources as they were pinned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import LockError
from cluster_forge.ports.rendering import Renderer, YamlReader
from cluster_forge.ports.sources import Pinned
from cluster_forge.ports.storage import Cache, Store
from cluster_forge.ports.workers import Workers
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.model import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """The ports that making objects needs."""

    store: Store
    files: Workspace
    renderer: Renderer
    reader: YamlReader
    workers: Workers
    cache: Cache

    def kept(self, how: str, content: bytes, make: Callable[[bytes], bytes]) -> bytes:
        """What ``make`` makes of ``content``, or made of it before; ``how`` names ``make`` and its version."""
        key = build.key("packed", how.encode(), content)
        found = self.cache.get("packed", key)
        if found is None:
            found = make(content)
            self.cache.put("packed", key, found)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The sources of one component as they were found: its chart, and its manifests by URL."""

    chart: Pinned | None = None
    manifests: Mapping[str, Pinned] = field(default_factory=dict)

    @property
    def digests(self) -> tuple[Digest, ...]:
        """Of the chart and of every URL, in a fixed order."""
        chart = (self.chart.digest,) if self.chart else ()
        return (*chart, *(pin.digest for _, pin in sorted(self.manifests.items())))


def is_url(entry: str) -> bool:
    """Whether an entry of ``manifests`` is fetched, not read from ``input/``."""
    return "://" in entry


def has_sources(component: Component) -> bool:
    """Whether anything of the component comes from a chart or a URL."""
    return component.helm is not None or any(map(is_url, component.manifests))


def sourced_folder(component: Component) -> str:
    """Where `mine` writes what it rendered, relative to ``input/``."""
    return f"{component.name}/manifests/sourced"


def not_mined(component: Component, what: str) -> LockError:
    """The error for a source that the lock does not have."""
    return LockError(
        f"component {component.name}: {what} is not in cluster-forge.lock",
        where=component.where,
        fix=f"run `cluster-forge mine {component.name}` (or `forge`, which mines what is missing)",
    )


def stored(component: Component, pin: Pinned, store: Store) -> bytes:
    """The bytes of a pinned source.

    Raises:
        LockError: if this machine's store does not have them.
    """
    content = store.get(pin.digest)
    if content is None:
        raise LockError(
            f"component {component.name}: {pin.address} {pin.version} ({pin.digest}) is not in the store",
            where=component.where,
            fix=f"run `cluster-forge mine {component.name}` on this machine",
        )
    return content
