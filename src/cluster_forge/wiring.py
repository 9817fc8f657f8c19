"""From settings to adapters: the one place that constructs them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster_forge.adapters.stack_files import RunLog, WorkspaceFiles
from cluster_forge.adapters.store import FolderStore
from cluster_forge.adapters.workers import ThreadWorkers
from cluster_forge.foundation.errors import MissingProgramError, WorkspaceError
from cluster_forge.ports import HelmEngine, Repositories, Sources, YamlReader
from cluster_forge.stages.means import Tools

_GO_GARBAGE_COLLECTION = "800"
"""GOGC for Helm's library: less CPU than with Go's default, for some memory (ADR 0006)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Everything that the stages of one command work with."""

    files: WorkspaceFiles
    tools: Tools
    sources: Sources
    repositories: Repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a command was told about its surroundings. ``engine`` is ``auto``, ``sdk`` or ``helm``."""

    workspace: Path
    store: str | None = None
    mirrors: Sequence[str] = ()
    offline: bool = False
    jobs: int = 1
    engine: str = "auto"


def workshop(settings: Settings) -> Workshop:
    """The adapters for one command.

    Raises:
        MissingProgramError: if the engine that is asked for (or, for ``auto``, any) is not there.
        WorkspaceError: if a mirror's index cannot be read.
    """
    os.environ.setdefault("GOGC", _GO_GARBAGE_COLLECTION)
    from cluster_forge.adapters import charts
    from cluster_forge.adapters.downloads import HttpDownloads, NoDownloads
    from cluster_forge.adapters.git_store import BareRepositories
    from cluster_forge.adapters.mirrors import Mirror
    from cluster_forge.adapters.sources import ChartSources
    from cluster_forge.adapters.yaml_once import ReadOnce

    files = workspace_files(settings.workspace)
    folder_store = FolderStore(Path(settings.store) if settings.store else store_folder())
    helm, reader = _engine(settings.engine)
    tools = Tools(
        store=folder_store, files=files, engine=helm, reader=ReadOnce(reader), workers=ThreadWorkers(settings.jobs)
    )
    sources = ChartSources(
        store=folder_store,
        mirrors=[Mirror(Path(folder)) for folder in settings.mirrors],
        downloads=NoDownloads() if settings.offline else HttpDownloads(),
        charts=charts,
        newest_in_range=helm.newest_in_range,
        files=files,
    )
    return Workshop(files=files, tools=tools, sources=sources, repositories=BareRepositories(tools.workers))


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


def store_folder() -> Path:
    """The user's own store: ``$XDG_CACHE_HOME/cluster-forge``, else ``~/.cache/cluster-forge``."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "cluster-forge"


def _engine(name: str) -> tuple[HelmEngine, YamlReader]:
    from cluster_forge.adapters.yaml_python import PythonYaml

    python = PythonYaml()
    if name != "helm":
        try:
            from cluster_forge.adapters.helm_engine import HelmEngineInProcess
            from cluster_forge.adapters.yaml_go import GoYaml

            return HelmEngineInProcess(), GoYaml(python)
        except (ImportError, MissingProgramError):
            if name == "sdk":
                raise
    from cluster_forge.adapters.helm_cli import HelmProgram

    return HelmProgram(), _fastest(python)


def _fastest(python: YamlReader) -> YamlReader:
    """Go's reader where Helm's library is there, although the program renders."""
    try:
        from cluster_forge.adapters.yaml_go import GoYaml
    except ImportError:
        return python
    return GoYaml(python)
