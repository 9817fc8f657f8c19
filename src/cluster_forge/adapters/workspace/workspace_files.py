"""`WorkspaceFiles`: a workspace on the local disk."""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from cluster_forge.adapters.disk import atomic_replace, plain_files, reading, user_secret, walking
from cluster_forge.adapters.disk.os_errors import translated
from cluster_forge.adapters.workspace import file_stamps, state_folder
from cluster_forge.adapters.workspace.file_stamps import Stamp
from cluster_forge.adapters.workspace.workspace_lock import WorkspaceLock
from cluster_forge.foundation.error_groups import expected, raise_all
from cluster_forge.foundation.errors import ForgeError, WorkspaceError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.record import WRITTEN

_LONGEST = 4096
"""Characters of a path: Linux allows no more bytes, and resolving its links takes time."""

_MAY_BE_ELSEWHERE = frozenset({"input", "working", "stacks"})
"""Any other link, ``cluster-forge.lock`` as well, may have come with a clone to have a file read that it should not see."""

_SOURCED = re.compile(r"input/[^/]+/manifests/sourced/")
_MARKER = ".cluster-forge-workspace"
"""In a directory behind a link: the path of the workspace that wrote it."""
_NOT_LISTED = frozenset({_MARKER, ".DS_Store", "Thumbs.db", "desktop.ini"})
"""File managers create the others, and create them again."""


class WorkspaceFiles:
    """`ports.Workspace` in a directory. Paths are relative to it, with ``/`` between their parts.

    Links are followed while they stay in the workspace; the directories ``input``, ``working`` and ``stacks`` may
    themselves be links to anywhere. Safe for several threads and processes: a writer holds the workspace's lock, and others wait for
    it up to ``patience`` seconds.
    """

    def __init__(self, root: Path, *, patience: float = 5.0) -> None:
        with translated("cannot be opened", str(root)):
            self._root = os.path.realpath(root)
        self._state = Path(self._root, state_folder.FOLDER)
        self._lock = WorkspaceLock(self._state, patience)
        self._writing = threading.Lock()
        self._is_recovered = False

    @property
    def root(self) -> str:
        """The workspace's real path, for messages."""
        return self._root

    def read(self, path: str) -> bytes | None:
        """A file's content; None if there is no such file.

        Raises:
            WorkspaceError: if it cannot be read, is larger than `reading.LARGEST`, or is outside of the workspace.
        """
        with translated("cannot be read", path):
            real = self._real(path)
            if real.is_file():
                return reading.file(str(real), reading.LARGEST)[0]
            if real.exists() and not real.is_dir():
                raise walking.special_file(str(real))
            return None

    def open(self, path: str) -> BinaryIO:
        with translated("cannot be read", path):
            return os.fdopen(plain_files.open_file(self._real(path), os.O_RDONLY), "rb")

    def read_tree(self, folder: str) -> FileTree | None:
        with translated("cannot be read", folder):
            paths = self.paths(folder)
            return None if paths is None else reading.tree(paths, reading.LARGEST)

    def paths(self, folder: str) -> Iterator[tuple[str, str]] | None:
        """Every file of a directory except hidden ones: its path from there, and its real path. None: no such directory.

        Raises:
            WorkspaceError: if something is not a file, or links out of the workspace.
            OSError: for what cannot be read.
        """
        real = self._real(folder)
        return self._walked(folder, real) if real.is_dir() else None

    def read_chart(self, folder: str) -> FileTree | None:
        """All files of a chart's directory, hidden ones too; links must stay in the chart. None: no such directory.

        A sourced tree in it, which `mine` wrote for a component of that name, is not part of the chart.

        Raises:
            WorkspaceError: as for `read_tree`.
        """
        with translated("cannot be read", folder):
            real = self._real(folder)
            if not real.is_dir():
                return None
            paths = dict(walking.walk(real, (str(real),), hidden=True))
            sourced = _sourced_trees(posixpath.normpath(folder), paths)
            own = ((name, path) for name, path in paths.items() if not name.startswith(sourced))
            return reading.tree(own, reading.LARGEST)

    def list_files(self, path: str) -> Sequence[str] | None:
        """The path of a file, or the sorted paths of the files in a directory without hidden ones. None: no such path.

        Raises:
            WorkspaceError: as for `read_tree`.
        """
        with translated("cannot be listed", path):
            start, real = posixpath.normpath(path), self._real(path)
            if real.is_dir():
                paths = self._walked(start, real)
                return sorted(posixpath.normpath(f"{start}/{name}") for name, _ in paths)
            return [start] if real.exists() else None

    def names(self, folder: str) -> Sequence[str]:
        with translated("cannot be listed", folder):
            real = self._real(folder)
            return (
                sorted(name for name in walking.names(real) if name.rpartition("/")[2] not in _NOT_LISTED)
                if real.is_dir()
                else []
            )

    def stamps(self, folder: str) -> Mapping[str, Stamp]:
        """Evidence of changes: the stamp of every file in a directory, by its path from there; empty if it is missing.

        Raises:
            WorkspaceError: if the directory is outside of the workspace.
        """
        return file_stamps.below(str(self._real(folder)))

    def write(self, path: str, content: bytes) -> None:
        """Replace a file atomically.

        Raises:
            WorkspaceError: if it cannot be written; the old file is unchanged. Also if it is a link: that may lead to a file
                of another purpose.
        """
        with self.locked(), self._writing, translated("cannot be written", path):
            target = self._real(path)
            plain_files.check_no_link(Path(self._root, path))
            target.parent.mkdir(parents=True, exist_ok=True)
            staging = self._state / atomic_replace.staging_name(user_secret.load())
            atomic_replace.write_file(target, content, staging=staging)

    def replace_trees(self, trees: Mapping[str, FileTree]) -> None:
        """Make each directory hold exactly its tree, all of them or none. An empty tree removes its directory.

        A directory that holds its tree already is not touched. One behind a link gets a file that names this workspace.

        Raises:
            WorkspaceError: if they cannot be written; the old directories are whole then. Also if one is behind a link and
                holds files, and this workspace did not write it.
        """
        with self.locked(), translated("cannot be written", ", ".join(list(trees)[:3])):
            linked = {folder for folder in trees if self._is_linked(folder)}
            targets = {
                self._real(folder): self._marked(tree) if folder in linked else tree for folder, tree in trees.items()
            }
            changed = {target: tree for target, tree in targets.items() if not reading.is_current(target, tree)}
            for target in changed:
                _refuse_file(target)
            for folder in linked:
                self._refuse_foreign(folder)
            if changed:
                secret = user_secret.load()
                staging = self._state / atomic_replace.staging_name(secret)
                atomic_replace.replace(changed, staging=staging, root=Path(self._root), secret=secret)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace's lock: a command that reads, works and writes keeps other processes out all the while.

        It may be taken again while it is held, by any thread of this process.

        Raises:
            WorkspaceError: if another process holds it; the message says which, and since when.
        """
        with self._lock.held():
            yield

    def _real(self, path: str) -> Path:
        """The real path of ``path``, every link resolved.

        Raises:
            WorkspaceError: if that is outside of the workspace.
        """
        self._recover()
        if len(path) > _LONGEST:
            raise WorkspaceError(
                f"path too long: {len(path):,} characters (limit {_LONGEST:,})",
                where=path,
                fix="use a shorter path, relative to the workspace",
            )
        normal = posixpath.normpath(path)
        real = os.path.realpath(f"{self._root}/{normal}")
        is_outside = normal.startswith(("/", "../")) or normal == ".."
        if is_outside or not walking.is_inside(real, self._allowed(normal)):
            raise WorkspaceError(
                f"{path} is outside of the workspace",
                where=self._root,
                fix="move the file into the workspace; links out of it are not followed",
            )
        return Path(real)

    def _walked(self, folder: str, real: Path) -> Iterator[tuple[str, str]]:
        """`walking.walk`, with errors that say where something is in the workspace."""
        try:
            yield from walking.walk(real, self._allowed(folder))
        except (WorkspaceError, ExceptionGroup) as error:
            raise_all(_shown(leaf, real, posixpath.normpath(folder)) for leaf in expected(error))

    def _is_linked(self, folder: str) -> bool:
        """Whether a link leads to a directory that is replaced. Workspaces may share `input/`: links to it do not count."""
        real, normal = self._real(folder), posixpath.normpath(folder)
        is_input = normal.startswith("input/") and walking.is_inside(
            str(real), [os.path.realpath(f"{self._root}/input")]
        )
        return str(real) != f"{self._root}/{normal}" and not is_input

    def _marked(self, tree: FileTree) -> FileTree:
        """The tree with the file that says which workspace wrote it."""
        return FileTree({**tree.files, _MARKER: f"{self._root}\n".encode()}, tree.executable) if tree.files else tree

    def _refuse_foreign(self, folder: str) -> None:
        """Check that a directory behind a link is empty, or that this workspace wrote it.

        Raises:
            WorkspaceError: if it would be lost, or if it contains the workspace.
        """
        real = self._real(folder)
        contains_workspace = walking.is_inside(self._root, [str(real)]) or walking.is_inside(
            str(real), [str(self._state)]
        )
        marker = real / _MARKER
        if not contains_workspace and plain_files.is_file(marker):
            with translated("cannot be read", folder):
                if plain_files.read(marker).decode(errors="replace") == f"{self._root}\n":
                    return
        if contains_workspace or (real.is_dir() and any(real.iterdir())):
            raise WorkspaceError(
                f"a link leads to {real}, which this workspace did not write: it would be replaced",
                where=f"{self._root}/{posixpath.normpath(folder)}",
                fix="remove the link, or let it lead to a directory that is empty or does not exist yet",
            )

    def _allowed(self, path: str) -> tuple[str, ...]:
        """The directories that links below ``path`` may point into."""
        top = posixpath.normpath(path).split("/")[0]
        return (self._root, os.path.realpath(f"{self._root}/{top}")) if top in _MAY_BE_ELSEWHERE else (self._root,)

    def _recover(self) -> None:
        """Before the first read: complete what a dead run began. If a process is writing right now, leave that alone."""
        if not self._is_recovered:
            self._is_recovered = True
            left = list(self._state.glob(f"{atomic_replace.STAGING}*"))
            secret = user_secret.load() if left else b""
            if any(atomic_replace.is_ours(staging, secret) for staging in left):
                with contextlib.suppress(WorkspaceError), self._lock.held(patience=0):
                    pass


def _sourced_trees(folder: str, names: Iterable[str]) -> tuple[str, ...]:
    """The beginnings of the names in ``folder`` that are in sourced trees: those that hold the record of `mine`."""
    trees = (name.removesuffix(WRITTEN) for name in names if name.endswith(f"sourced/{WRITTEN}"))
    return tuple(tree for tree in trees if _SOURCED.fullmatch(f"{folder}/{tree}"))


def _refuse_file(folder: Path) -> None:
    """Check that a directory to be replaced is a directory, or missing.

    Raises:
        WorkspaceError: if it is a file, which would be lost.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise WorkspaceError(
            "a file is where a directory is needed", where=str(folder), fix="move the file away, or rename it"
        )


def _shown(error: ForgeError, real: Path, folder: str) -> WorkspaceError:
    """An error in a directory, with its place in the workspace."""
    where = (error.where or "").removeprefix(str(real))
    shown = f"{folder}{where}" if where != error.where else error.where
    return WorkspaceError(error.message, where=shown, fix=error.fix)
