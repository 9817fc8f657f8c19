"""From settings to adapters: the one place that constructs them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.adapters.workspace import RunLog, WorkspaceFiles
from cluster_forge.foundation.errors import ForgeError, MissingProgramError, StoreError, WorkspaceError, raise_all
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.rendering import HelmEngine, YamlReader
from cluster_forge.ports.sources import Sources
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.adapters.http.downloads import HttpDownloads
    from cluster_forge.adapters.http.offline import OfflineDownloads
    from cluster_forge.adapters.sources.chart_sources import Charts
    from cluster_forge.adapters.sources.mirror import Mirror

_FOR_WORKERS = {"GOGC": "800", "GOMEMLIMIT": "768MiB", "PYTHONUTF8": "1"}
"""For Helm's library: less CPU than with Go's default, for some memory, but not for much (ADR 0006)."""

_AHEAD = 4
"""Processes that are started before it is known how many will be wanted."""

_START = "from cluster_forge.composition import serve; serve()"
"""How a process that makes objects begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that the stages of one command work with."""

    files: WorkspaceFiles
    toolbox: Toolbox
    sources: Sources
    repositories: Callable[[], Repositories]
    close: Callable[[], None]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes that make objects."""
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a command was told about its surroundings. ``engine`` is ``auto``, ``sdk`` or ``helm``.

    ``seconds`` and ``memory`` (MiB) are what one chart may take. ``is_ahead`` starts the processes that make objects while
    the description is still read.
    """

    workspace: Path
    store: str | None = None
    mirrors: Sequence[str] = ()
    offline: bool = False
    jobs: int = 1
    engine: str = "auto"
    is_cached: bool = True
    seconds: float = 60
    memory: int = 2048
    is_ahead: bool = False


def services(settings: Settings) -> Services:
    """The adapters for one command.

    Raises:
        MissingProgramError: if the engine that is asked for (or, for ``auto``, any) is not there.
        WorkspaceError: if there is no such workspace.
        FetchError, ExceptionGroup: for every mirror that has no index.
    """
    from cluster_forge.adapters.rendering import CachingRenderer, InProcessRenderer, JobLimits, WorkerPoolRenderer
    from cluster_forge.adapters.sources import ChartSources
    from cluster_forge.adapters.storage.cache import FolderCache, NoCache
    from cluster_forge.adapters.yaml.lazy import LazyYaml

    files = workspace_files(settings.workspace)
    mirrors = _mirrors(settings.mirrors)
    root = store_root(settings.store)
    store = FolderStore(root)
    helm, reader = _engine(settings.engine), LazyYaml(_reader)
    cache = FolderCache(root) if settings.is_cached else NoCache()
    processes = WorkerPoolRenderer(
        [sys.executable, "-P", "-c", _START, settings.engine],  # -P: what lies in the current folder is no module of it
        InProcessRenderer(helm, reader),
        JobLimits(seconds=settings.seconds, memory=settings.memory),
        {**_FOR_WORKERS, **os.environ},
    )
    if settings.is_ahead:
        processes.start(min(settings.jobs, _AHEAD))
    toolbox = Toolbox(
        store=store,
        files=files,
        renderer=CachingRenderer(processes, cache),
        reader=reader,
        workers=ThreadWorkers(settings.jobs),
        cache=cache,
    )
    sources = ChartSources(
        store=store,
        mirrors=mirrors,
        downloads=_downloads(is_offline=settings.offline),
        charts=_charts,
        newest_in_range=helm.newest_in_range,
        files=files,
    )
    return Services(
        files=files,
        toolbox=toolbox,
        sources=sources,
        repositories=lambda: _repositories(toolbox),
        close=processes.close,
    )


def serve() -> None:
    """Make objects for the process that started this one, until it wants no more: ``python -c … ENGINE BYTES``."""
    from cluster_forge.adapters.rendering import InProcessRenderer, worker

    engine, memory = sys.argv[1:]
    worker.serve(InProcessRenderer(_engine(engine), _reader()), memory=int(memory))


def run_log(workspace: Path, verb: str) -> RunLog | None:
    """The log of a run; none where there is no workspace: it would be the first thing in somebody's home."""
    return RunLog(workspace, verb) if (workspace / "input").is_dir() else None


def workspace_files(workspace: Path) -> WorkspaceFiles:
    """The files of a workspace, for a command that needs nothing else.

    Raises:
        WorkspaceError: if there is no such folder.
    """
    if not workspace.is_dir():
        raise WorkspaceError("there is no such folder", where=str(workspace), fix="name an existing folder with -C")
    return WorkspaceFiles(workspace)


def store_root(named: str | None) -> Path:
    """The store that was named, or the user's own: ``$XDG_CACHE_HOME/cluster-forge``, else ``~/.cache/cluster-forge``.

    Raises:
        StoreError: if there is neither: a user without a home folder, as in many a container.
    """
    if named:
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(cache) if cache else Path.home() / ".cache") / "cluster-forge"
    except RuntimeError as error:
        raise StoreError(
            "there is no place for the store: this user has no home folder",
            fix="name one: --store DIR, or XDG_CACHE_HOME",
        ) from error


def _mirrors(folders: Sequence[str]) -> Sequence[Mirror]:
    if not folders:
        return ()
    from cluster_forge.adapters.sources.mirror import open_mirror

    found: list[Mirror] = []
    errors: list[ForgeError] = []
    for folder in folders:
        try:
            found.append(open_mirror(Path(folder)))
        except ForgeError as error:
            errors.append(error)
    raise_all(errors)
    return found


def _charts() -> Charts:
    from cluster_forge.adapters import charts

    return charts


def _downloads(*, is_offline: bool) -> OfflineDownloads | HttpDownloads:
    if is_offline:
        from cluster_forge.adapters.http.offline import OfflineDownloads

        return OfflineDownloads()
    from cluster_forge.adapters.http.downloads import HttpDownloads

    return HttpDownloads()


def _repositories(toolbox: Toolbox) -> Repositories:
    from cluster_forge.adapters.git.bare_repositories import BareRepositories

    return BareRepositories(toolbox.workers, toolbox.cache)


def _engine(name: str) -> HelmEngine:
    if name != "helm":
        from cluster_forge.adapters.helm.sdk import HelmSdk

        try:
            return HelmSdk()
        except MissingProgramError:
            if name == "sdk":
                raise
    from cluster_forge.adapters.helm.program import HelmProgram

    return HelmProgram()


def _reader() -> YamlReader:
    """The fastest of what is there; what one cannot read exactly goes to the next."""
    from cluster_forge.adapters.yaml.pure_python import PurePythonYaml

    reader: YamlReader = PurePythonYaml()
    if find_spec("helm_python"):
        from cluster_forge.adapters.yaml.go import GoYaml

        reader = GoYaml(reader)
    from cluster_forge.adapters.yaml.fast import FastYaml

    return FastYaml(reader)
