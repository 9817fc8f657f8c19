"""`WorkspaceFiles`: a workspace on this machine's disk."""

from __future__ import annotations

import contextlib
import os
import posixpath
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cluster_forge.adapters.disk import reading
from cluster_forge.adapters.disk.os_errors import telling
from cluster_forge.adapters.workspace import atomic_replace, file_stamps
from cluster_forge.adapters.workspace.file_stamps import Mark
from cluster_forge.adapters.workspace.workspace_lock import ASIDE, Lock
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree

_LONGEST = 4096
"""Characters of a path: Linux takes no more bytes, and following its links takes time."""


class WorkspaceFiles:
    """`ports.StackFiles` in a folder. Paths are relative to it, with ``/`` between their parts.

    Links are followed while they stay in the workspace; the folders at its top (``input``, ``working``) may themselves
    be links to anywhere. Safe for several threads and processes: whoever writes holds the workspace's lock, for which
    others wait ``patience`` seconds.
    """

    def __init__(self, root: Path, *, patience: float = 5.0) -> None:
        with telling("cannot be opened", str(root)):
            self._root = os.path.realpath(root)
        self._state = Path(self._root, ".cluster-forge")
        self._lock = Lock(self._state, patience)
        self._writing = threading.Lock()
        self._settled = False

    @property
    def root(self) -> str:
        """Where the workspace is, every link followed: for messages."""
        return self._root

    def read(self, path: str) -> bytes | None:
        """A file, or None when there is no such file.

        Raises:
            WorkspaceError: if it cannot be read, is larger than `reading.LARGEST`, or lies outside of the workspace.
        """
        with telling("cannot be read", path):
            real = self._real(path)
            if real.is_file():
                return reading.content(str(real), reading.LARGEST)[0]
            if real.exists() and not real.is_dir():
                raise reading.neither(str(real))
            return None

    def read_tree(self, folder: str) -> FileTree | None:
        with telling("cannot be read", folder):
            real = self._real(folder)
            return reading.tree(reading.walk(real, self._allowed(folder)), reading.LARGEST) if real.is_dir() else None

    def read_chart(self, folder: str) -> FileTree | None:
        """All files of a chart's folder, hidden ones too; links must stay in the chart. None: no such folder.

        Raises:
            WorkspaceError: as for `read_tree`.
        """
        with telling("cannot be read", folder):
            real = self._real(folder)
            found = reading.walk(real, (str(real),), hidden=True)
            return reading.tree(found, reading.LARGEST) if real.is_dir() else None

    def list_files(self, path: str) -> Sequence[str] | None:
        """A file's own path, or the paths of a folder's files, sorted, hidden ones left out. None: no such path.

        Raises:
            WorkspaceError: as for `read_tree`.
        """
        with telling("cannot be listed", path):
            start, real = posixpath.normpath(path), self._real(path)
            if real.is_dir():
                found = reading.walk(real, self._allowed(path))
                return sorted(posixpath.normpath(f"{start}/{name}") for name, _ in found)
            return [start] if real.exists() else None

    def marks(self, folder: str) -> Mapping[str, Mark]:
        """What tells that a file of a folder may have changed, by its path from there; nothing where there is none.

        Raises:
            WorkspaceError: if the folder lies outside of the workspace.
        """
        return file_stamps.of(str(self._real(folder)))

    def write(self, path: str, content: bytes) -> None:
        with self.locked(), self._writing, telling("cannot be written", path):
            target = self._real(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            atomic_replace.write_file(self._aside(), target, content)

    def replace_trees(self, trees: Mapping[str, FileTree]) -> None:
        """Make each folder hold exactly that tree, all of them or none. Of an empty tree no folder is left.

        A folder that holds its tree already is not touched.

        Raises:
            WorkspaceError: if they cannot be written; the old folders are whole then.
        """
        with self.locked(), telling("cannot be written", ", ".join(list(trees)[:3])):
            targets = {self._real(folder): tree for folder, tree in trees.items()}
            changed = {target: tree for target, tree in targets.items() if not reading.holds(target, tree)}
            for target in changed:
                reading.refuse_file(target)
            if changed:
                atomic_replace.replace(self._aside(), changed)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace's lock: a command that reads, works and writes keeps others out all the while.

        It may be taken again while it is held, by any thread of this process.

        Raises:
            WorkspaceError: if another process holds it; the message says which, and since when.
        """
        with self._lock.held():
            yield

    def _aside(self) -> Path:
        return self._state / f"{ASIDE}{os.getpid()}-{secrets.token_hex(4)}"

    def _real(self, path: str) -> Path:
        """Where ``path`` leads, every link followed.

        Raises:
            WorkspaceError: if that is outside of the workspace.
        """
        self._settle()
        if len(path) > _LONGEST:
            raise WorkspaceError(f"a path of {len(path):,} characters", where=path, fix="name a file of the workspace")
        normal = posixpath.normpath(path)
        real = os.path.realpath(f"{self._root}/{normal}")
        leaves = normal.startswith(("/", "../")) or normal == ".."
        if leaves or not reading.is_inside(real, self._allowed(normal)):
            raise WorkspaceError(
                f"{path} lies outside of the workspace",
                where=self._root,
                fix="put the file into the workspace; links out of it are not followed",
            )
        return Path(real)

    def _allowed(self, path: str) -> tuple[str, ...]:
        """The folders that links below ``path`` may lead into."""
        top = posixpath.normpath(path).split("/")[0]
        return (self._root, os.path.realpath(f"{self._root}/{top}"))

    def _settle(self) -> None:
        """Before anything is read: complete what a dead run began. Where somebody is writing just now, it is theirs."""
        if not self._settled:
            self._settled = True
            if any(self._state.glob(f"{ASIDE}*")):
                with contextlib.suppress(WorkspaceError), self._lock.held(patience=0):
                    pass
