"""The files in ``input/`` that hold saved edits, read and replaced together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.saved_folders import objects_folder, patches_folder


@dataclass(slots=True)
class SavedFiles:
    """Changes of saved files, by path; None removes one. `write` makes all of them, or none."""

    files: Workspace
    changes: dict[str, bytes | None] = field(default_factory=dict)

    def patch(self, component: str, name: str) -> str | None:
        """The path of the saved patch for the object whose file is called ``name``; None if there is none."""
        return self._existing(f"{patches_folder(component)}/{name}")

    def object(self, component: str, name: str) -> str | None:
        """The path of the saved object whose file is called ``name``; None if there is none."""
        return self._existing(f"{objects_folder(component)}/{name}")

    def write(self) -> None:
        """Make the changes.

        Raises:
            WorkspaceError, ExceptionGroup: if they cannot be written, or if a folder has broken links; then no file has
                changed.
        """
        trees = {folder: self._tree(folder) for folder in dict.fromkeys(map(_folder, self.changes))}
        if trees:
            self.files.replace_trees(trees)

    def _existing(self, path: str) -> str | None:
        return path if self.files.read(path) is not None else None

    def _tree(self, folder: str) -> FileTree:
        """The folder's files, hidden ones too, with the changes.

        Raises:
            WorkspaceError, ExceptionGroup: for each broken link in it, which would be gone.
        """
        present = {name: self.files.read(f"{folder}/{name}") for name in self.files.names(folder)}
        raise_all(_broken_link(f"{folder}/{name}") for name, content in present.items() if content is None)
        changed = {
            path.removeprefix(f"{folder}/"): content
            for path, content in self.changes.items()
            if _folder(path) == folder
        }
        return FileTree(_there({**present, **changed}))


def _broken_link(path: str) -> WorkspaceError:
    return WorkspaceError("the link is broken: its target does not exist", where=path, fix="remove it, or correct it")


def _there(files: Mapping[str, bytes | None]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if content is not None}


def _folder(path: str) -> str:
    """``input/web/patches`` of ``input/web/patches/a.yaml``."""
    return "/".join(path.split("/")[:3])
