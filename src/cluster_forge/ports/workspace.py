"""The workspace's files, and their digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO, Protocol

from cluster_forge.foundation.file_tree import FileTree, TreeDigests


class Workspace(Protocol):
    """The workspace's files, without the store."""

    def read(self, path: str) -> bytes | None:
        """A file relative to the workspace, or None if it does not exist."""

    def read_tree(self, folder: str) -> FileTree | None:
        """All files of a folder except hidden ones, or None if it does not exist.

        Raises:
            WorkspaceError: if something in it cannot be read, or links out of the workspace.
        """

    def names(self, folder: str) -> Sequence[str]:
        """The path of everything in a folder that is not a directory, hidden files too; a link is one, wherever it leads.

        Sorted; empty if there is no such folder. What file managers leave there (``.DS_Store``) is not listed.
        """

    def write(self, path: str, content: bytes) -> None:
        """Replace a file atomically.

        Raises:
            WorkspaceError: if it cannot be written; the old file is unchanged.
        """

    def replace_trees(self, trees: Mapping[str, FileTree]) -> None:
        """Make each folder hold exactly its tree; all folders are replaced together.

        Raises:
            WorkspaceError: if a tree cannot be written; the old folders are unchanged.
        """


class FolderReader(Protocol):
    """Folders that may hold files too large for memory. The methods are those of `Workspace`, but for `open`."""

    def read(self, path: str) -> bytes | None: ...
    def read_tree(self, folder: str) -> FileTree | None: ...
    def names(self, folder: str) -> Sequence[str]: ...

    def open(self, path: str) -> BinaryIO:
        """A file, to be read part by part.

        Raises:
            WorkspaceError: if it cannot be opened, does not exist, or is outside of the workspace.
        """


class FolderWriter(Protocol):
    """Folders that are replaced as a whole, in the workspace or elsewhere. The methods are those of `Workspace`."""

    def read(self, path: str) -> bytes | None: ...
    def names(self, folder: str) -> Sequence[str]: ...
    def replace_trees(self, trees: Mapping[str, FileTree]) -> None: ...


class FolderDigests(Protocol):
    """The digests of the workspace's files as they are now, without reading those that are known to be unchanged."""

    def of(self, folders: Sequence[str]) -> Mapping[str, TreeDigests]:
        """What `Workspace.read_tree` would read, by folder; those that do not exist are left out.

        Raises:
            WorkspaceError, ExceptionGroup: for everything that cannot be read, or links out of the workspace.
        """
