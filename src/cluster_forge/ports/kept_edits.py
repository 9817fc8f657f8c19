"""Copies of hand edits that a stage is about to overwrite."""

from __future__ import annotations

from typing import Protocol

from cluster_forge.foundation.file_tree import FileTree


class KeptEdits(Protocol):
    """Keeps the latest copies, in the workspace and out of everything that is built."""

    def keep(self, files: FileTree, listing: str) -> str:
        """Copy the files, whose paths are relative to the workspace, and the list of all edits; the copy's folder.

        The files are below ``files/`` in it, so that copying that folder onto the workspace brings them back.

        Raises:
            WorkspaceError: if they cannot be copied; then nothing may be overwritten.
        """
