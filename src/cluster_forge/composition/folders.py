"""Folders of this machine: the workspace, what is beside it, the store."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster_forge.adapters.storage.store import FolderStore
from cluster_forge.adapters.workspace import (
    OutputFolder,
    RunLog,
    WorkspaceFiles,
    append_to_history,
)
from cluster_forge.foundation.errors import StoreError, WorkspaceError
from cluster_forge.service_options import StoreOptions

if TYPE_CHECKING:
    from cluster_forge.ports.storage import Store, StoredKind


def workspace_files(workspace: Path) -> WorkspaceFiles:
    """The files of a workspace, for a command that needs no other service.

    Raises:
        WorkspaceError: if the folder does not exist.
    """
    if not workspace.is_dir():
        raise WorkspaceError(
            "there is no such folder", where=str(workspace), fix="pass an existing folder: -C WORKSPACE"
        )
    return WorkspaceFiles(workspace)


def output_folder(directory: Path) -> OutputFolder:
    """The folders in a directory outside of the workspace."""
    return OutputFolder(directory)


def run_log(workspace: Path, verb: str) -> RunLog | None:
    """The log of a run; None outside of a workspace, where it would be the first file of a folder."""
    return RunLog(workspace, verb) if (workspace / "input").is_dir() else None


def append_history(workspace: Path, entry: Mapping[str, Any]) -> None:
    """Append an entry to the history of a workspace; nothing in a folder that is none.

    Raises:
        WorkspaceError: if it cannot be written.
    """
    if (workspace / "input").is_dir():
        append_to_history(workspace, entry)


def store_root(options: StoreOptions) -> Path:
    """The store's folder: ``--store``, or ``$XDG_CACHE_HOME/cluster-forge``, or ``~/.cache/cluster-forge``.

    Raises:
        StoreError: if the user has no home folder, as in many containers.
    """
    if options.store:
        return Path(options.store)
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(cache) if cache else Path.home() / ".cache") / "cluster-forge"
    except RuntimeError as error:
        raise StoreError(
            "there is no place for the store: this user has no home folder",
            fix="name one: --store DIR, or XDG_CACHE_HOME",
        ) from error


def store_of(options: StoreOptions) -> Store:
    """The store alone.

    Raises:
        StoreError: as for `store_root`.
    """
    return FolderStore(store_root(options))


def stored_kinds(root: Path) -> Sequence[StoredKind]:
    """What the store at ``root`` holds.

    Raises:
        StoreError: if the folder cannot be read.
    """
    from cluster_forge.adapters.storage import housekeeping

    return housekeeping.stored_kinds(root)


def clean_store(root: Path, older_than: float, *, sources: bool) -> Sequence[StoredKind]:
    """Remove entries of the store at ``root`` that were not used for ``older_than`` seconds; what was removed.

    Raises:
        StoreError: if the folder cannot be read or written.
    """
    from cluster_forge.adapters.storage import housekeeping

    return housekeeping.clean(root, older_than, sources=sources)
