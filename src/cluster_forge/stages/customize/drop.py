"""drop: hand edits taken back, and saved ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cluster_forge.foundation.errors import ManifestError, StaleError, UnknownNameError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import did_you_mean
from cluster_forge.patches import patch_file
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.saved_folders import objects_folder, patches_folder
from cluster_forge.stages.build import edits, working_tree
from cluster_forge.stages.build.edits import DiscardedEdits, Edit, EditKind, FileEdit
from cluster_forge.stages.build.working_tree import FOLDER, WorkingState
from cluster_forge.stages.customize.saved_files import SavedFiles
from cluster_forge.stages.toolbox import Toolbox


def drop_edits(
    working: WorkingState, edited: Sequence[FileEdit], known: Mapping[str, bytes], toolbox: Toolbox
) -> DiscardedEdits:
    """Write the edited files as smelt wrote them (``known``), after a copy of the edits.

    Raises:
        StaleError: if it is not known what smelt wrote.
    """
    lost = [edit.path for edit in edited if edit.kind is not EditKind.ADDED and edit.path not in known]
    if lost:
        raise StaleError(
            f"what smelt wrote is not known any more: {working_tree.first_few(lost)}",
            where=f"{FOLDER}/",
            fix="write the whole folder again: `cluster-forge smelt --discard-edits`",
        )
    present = working_tree.edited_contents(working, toolbox.files)
    copied = (Edit(path=f"{FOLDER}/{path}", kind=kind, content=present.get(path)) for kind, path in edited)
    discarded = edits.keep(copied, toolbox.kept_edits)
    _replace(FOLDER, {path: known.get(path) for _, path in edited}, toolbox.files)
    return discarded


def drop_saved(names: Sequence[str], components: Iterable[str], toolbox: Toolbox) -> DiscardedEdits:
    """Remove the saved patches and objects with these names, or all of them, after a copy.

    Raises:
        UnknownNameError: for a name that is not a component, a saved object or its file.
    """
    by_path = _saved(list(components), toolbox)
    paths = list(by_path) if not names else [path for name in names for path in _meant(name, by_path)]
    saved = SavedFiles(files=toolbox.files, changes=dict.fromkeys(paths))
    contents = ((path, toolbox.files.read(path)) for path in dict.fromkeys(paths))
    copied = [
        Edit(path=path, kind=EditKind.DELETED if content is None else EditKind.ADDED, content=content)
        for path, content in contents
    ]
    discarded = edits.keep(copied, toolbox.kept_edits)
    saved.write()
    return discarded


def _saved(components: Sequence[str], toolbox: Toolbox) -> dict[str, list[str]]:
    """Every saved file, with what it may be called by: its path, its component and its object."""
    names: dict[str, list[str]] = {}
    for component in components:
        for folder in (patches_folder(component), objects_folder(component)):
            for name in toolbox.files.names(folder):
                path = f"{folder}/{name}"
                names[path] = [path, component, *_object(path, toolbox)]
    return names


def _object(path: str, toolbox: Toolbox) -> list[str]:
    """The object that a saved file names; none where it cannot be read."""
    try:
        return [str(identity)] if (identity := patch_file.object_of(_read(path, toolbox))) else []
    except ManifestError:
        return []


def _read(path: str, toolbox: Toolbox) -> Any:
    return toolbox.reader.read((toolbox.files.read(path) or b"").decode("utf-8-sig", errors="replace"))


def _meant(name: str, by_path: Mapping[str, Sequence[str]]) -> list[str]:
    paths = [path for path, labels in by_path.items() if name in labels]
    if not paths:
        known = {label for labels in by_path.values() for label in labels}
        raise UnknownNameError(
            f"unknown name {name!r}: nothing is saved for it{did_you_mean(name, known)}",
            fix="name a component, an object or a file below input/<component>/patches/ or objects/",
        )
    return paths


def _replace(folder: str, changes: Mapping[str, bytes | None], files: Workspace) -> None:
    present = {name: files.read(f"{folder}/{name}") for name in files.names(folder)}
    left = {path: content for path, content in {**present, **changes}.items() if content is not None}
    files.replace_trees({folder: FileTree(left)})
