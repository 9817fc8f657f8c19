"""The packaged catalog's components, rendered from the mirror in this process, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.shared_store import SingleUseCache
from tests.stack_sources import stack_sources

from cluster_forge.adapters import charts
from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.http.offline import OfflineDownloads
from cluster_forge.adapters.rendering.caching import CachingRenderer
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.sources.mirror import FolderMirror
from cluster_forge.adapters.storage.cache import FolderCache
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.catalog.library import packaged
from cluster_forge.catalog.trial_plan import TrialPlans
from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

NOT_MIRRORED: Final = frozenset({"flux2"})
"""Components whose sources ../shared/mirror does not have: they cannot be rendered here."""
MIRRORED: Final = tuple(name for name in packaged().names if name not in NOT_MIRRORED)


def trials(shared: Path, folder: Path) -> TrialRenderer:
    """The catalog's components from ``shared``/mirror; ``folder`` is for what is stored."""
    engine = HelmSdk()
    stored = folder / "cluster-forge"
    sources = stack_sources(stored, folder, OfflineDownloads(), [FolderMirror(shared / "mirror")])
    reader = FastYaml(GoYaml(PurePythonYaml()))
    renderer = CachingRenderer(InProcessRenderer(engine, reader), SingleUseCache(FolderCache(stored)))
    return TrialRenderer(TrialPlans(packaged()), sources, sources.store, renderer, charts, reader)
