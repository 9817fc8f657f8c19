"""The workspace's files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from cluster_forge.foundation.file_tree import FileTree


class Workspace(Protocol):
    """The workspace's files, apart from the store."""

    def read(self, path: str) -> bytes | None:
        """A file relative to the workspace, or None when it is not there."""

    def read_tree(self, folder: str) -> FileTree | None:
        """All files of a folder, or None when there is no such folder. Hidden files are left out.

        Raises:
            WorkspaceError: if something in it cannot be read, or links out of the workspace.
        """

    def write(self, path: str, content: bytes) -> None:
        """Write a file aside and rename it.

        Raises:
            WorkspaceError: if it cannot be written; the old one is whole then.
        """

    def replace_trees(self, trees: Mapping[str, FileTree]) -> None:
        """Make each folder hold exactly that tree: written aside, then renamed.

        Raises:
            WorkspaceError: if it cannot be written; the old folders are whole then.
        """
