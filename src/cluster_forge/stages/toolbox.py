"""The ports that the stages share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster_forge.foundation import build
from cluster_forge.ports.kept_edits import KeptEdits
from cluster_forge.ports.kustomize import Kustomize
from cluster_forge.ports.rendering import Renderer, YamlReader
from cluster_forge.ports.storage import Cache, Store
from cluster_forge.ports.workers import Workers
from cluster_forge.ports.workspace import FolderDigests, Workspace

if TYPE_CHECKING:
    from cluster_forge.ports.plugins import Functions, Plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolbox:
    """The ports that every build stage needs; ``workers`` for what computes, ``fetchers`` for what waits for the network.

    ``bases`` has what smelt wrote (`stages.build.hand_edits.bases`), also where ``cache`` keeps nothing.
    """

    store: Store
    files: Workspace
    digests: FolderDigests
    renderer: Renderer
    kustomize: Kustomize
    reader: YamlReader
    workers: Workers
    fetchers: Workers
    cache: Cache
    bases: Cache
    kept_edits: KeptEdits
    plugins: Plugins
    functions: Functions

    def cached(self, name: str, content: bytes, compute: Callable[[bytes], bytes]) -> bytes:
        """``compute(content)``, from the cache where it was computed before; ``name`` names ``compute`` and its version."""
        key = build.key("packed", name.encode(), content)
        result = self.cache.get("packed", key)
        if result is None:
            result = compute(content)
            self.cache.put("packed", key, result)
        return result
