"""What the stages that build work with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Self

from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.adapters.storage.unread_store import UnreadStore
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.adapters.workspace import (
    FolderOfEdits,
    KeptDigests,
    WorkspaceFiles,
)
from cluster_forge.composition.folders import store_root, workspace_files
from cluster_forge.composition.network import downloads_for, fetchers, use_registries
from cluster_forge.composition.plugins import functions, installed_plugins
from cluster_forge.composition.rendering import helm_engine, reader, worker_pool
from cluster_forge.composition.settings import Settings
from cluster_forge.composition.sources import stack_sources
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.rendering import HelmEngine
from cluster_forge.ports.sources import Offers, Sources
from cluster_forge.ports.workers import Workers
from cluster_forge.stack.registry_settings import RegistrySettings
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.adapters.rendering.worker_pool import WorkerPoolRenderer
    from cluster_forge.catalog.library import Library
    from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

_EARLY_WORKERS = 4
"""Processes that are started before it is known how many are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that the stages of one command work with."""

    files: WorkspaceFiles
    toolbox: Toolbox
    sources: Sources
    offers: Offers
    engine: HelmEngine
    repositories: Repositories
    use_registries: Callable[[Sequence[RegistrySettings]], None]
    """Takes what the description says about hosts; to be called before anything is fetched."""
    close: Callable[[], None]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes that render."""
        self.close()


def services(settings: Settings) -> Services:
    """The adapters for one command.

    Raises:
        MissingProgramError: if the engine (or, for ``auto``, every engine) is not installed.
        WorkspaceError: if the workspace does not exist.
        FetchError, ExceptionGroup: for every mirror without an index.
    """
    from cluster_forge.adapters.git.lazy import LazyRepositories

    files = workspace_files(settings.workspace)
    helm = helm_engine(settings.rendering.helm_engine)
    processes = worker_pool(settings, helm)
    downloads = downloads_for(settings)
    toolbox = _toolbox(settings, files, processes)
    fetching = replace(toolbox, store=UnreadStore()) if settings.refetches else toolbox
    sources = stack_sources(settings, fetching, helm, files, downloads)
    if settings.starts_workers:  # after everything that may raise an error: `Services` ends them
        processes.start(min(settings.jobs, _EARLY_WORKERS))
    return Services(
        files=files,
        toolbox=toolbox,
        sources=sources,
        offers=sources,
        engine=helm,
        repositories=LazyRepositories(lambda: _repositories(toolbox)),
        use_registries=partial(use_registries, downloads, settings.workspace),
        close=processes.close,
    )


def _toolbox(settings: Settings, files: WorkspaceFiles, processes: WorkerPoolRenderer) -> Toolbox:
    from cluster_forge.adapters.kustomize.caching import CachingKustomize
    from cluster_forge.adapters.kustomize.program import KustomizeProgram
    from cluster_forge.adapters.rendering.caching import CachingRenderer
    from cluster_forge.adapters.rendering.short_texts import ShortTextsRenderer
    from cluster_forge.adapters.storage.cache import FolderCache, NoCache
    from cluster_forge.adapters.yaml import fast
    from cluster_forge.adapters.yaml.lazy import LazyYaml

    root = store_root(settings.store)
    kept = FolderCache(root)
    cache = NoCache() if settings.rendering.no_cache else kept
    workers = ThreadWorkers(settings.jobs)
    kustomize = KustomizeProgram(settings.rendering.render_seconds, settings.rendering.render_memory)
    yaml = LazyYaml(reader)
    return Toolbox(
        store=FolderStore(root),
        files=files,
        digests=KeptDigests(files, cache, workers),
        renderer=CachingRenderer(ShortTextsRenderer(processes, yaml, fast.is_readable), cache),
        kustomize=CachingKustomize(kustomize, cache),
        reader=yaml,
        workers=workers,
        fetchers=fetchers(settings),
        cache=cache,
        bases=kept,
        kept_edits=FolderOfEdits(settings.workspace),
        plugins=installed_plugins(settings.rendering),
        functions=functions(settings.rendering, cache),
    )


def _repositories(toolbox: Toolbox) -> Repositories:
    from cluster_forge.adapters.git.bare_repositories import BareRepositories

    return BareRepositories(toolbox.workers, toolbox.cache)


def trial_renderer(services: Services, library: Library) -> TrialRenderer:
    """The renderer for trials of a catalog's components."""
    from cluster_forge.adapters import charts
    from cluster_forge.catalog.trial_plan import TrialPlans
    from cluster_forge.stages.catalog.trial_renderer import TrialRenderer

    toolbox = services.toolbox
    return TrialRenderer(TrialPlans(library), services.sources, toolbox.store, toolbox.renderer, charts, toolbox.reader)


def workers(settings: Settings) -> Workers:
    """Parallel calls, for a command that needs no other service."""
    return ThreadWorkers(settings.jobs)
