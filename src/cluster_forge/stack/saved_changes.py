"""Hand edits that were saved in ``input/<component>/``: patches in ``patches/``, added objects in ``objects/``.

A component has them without naming them. Patches apply in the order of their files, after those that the description declares.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cluster_forge.foundation.errors import DescriptionError, ForgeError
from cluster_forge.foundation.names import counted
from cluster_forge.stack import patch_reader
from cluster_forge.stack.changes import DeclaredPatch
from cluster_forge.stack.input_files import INPUT, InputFiles
from cluster_forge.stack.saved_folders import objects_folder, patches_folder

_YAML: Final = (".yaml", ".yml", ".json")


def patches(
    component: str, declared: Iterable[DeclaredPatch], files: InputFiles, errors: list[ForgeError]
) -> Iterator[DeclaredPatch]:
    """The saved patches of a component, without the files that its description names (``declared``)."""
    named = {patch.where.rpartition(":")[0] for patch in declared}
    for path in _listed(patches_folder(component), files, errors):
        if path.endswith(_YAML) and path not in named:
            yield from _patch(path, component, files, errors)


def objects(component: str, manifests: Iterable[str], files: InputFiles, errors: list[ForgeError]) -> tuple[str, ...]:
    """The entry of ``manifests`` that adds the saved objects; none if there are none, or if ``manifests`` names them."""
    folder = objects_folder(component)
    entry = posixpath.relpath(folder, INPUT)
    others = [other.strip("/") for other in manifests]
    if "." in others or any(
        f"{entry}/".startswith(f"{other}/") or f"{other}/".startswith(f"{entry}/") for other in others
    ):
        return ()
    return (entry,) if any(path.endswith(_YAML) for path in _listed(folder, files, errors)) else ()


def _listed(folder: str, files: InputFiles, errors: list[ForgeError]) -> Sequence[str]:
    """The files in a folder; none, and an error, where it has a link out of the workspace, or a pipe."""
    try:
        return files.listed(folder) or ()
    except ForgeError as error:
        errors.append(error)
        return ()


def _patch(path: str, component: str, files: InputFiles, errors: list[ForgeError]) -> Iterator[DeclaredPatch]:
    documents = files.documents(path, errors)
    if documents is None:
        return
    if len(documents) > 1:
        message = f"{component}: {path} has {counted(len(documents), 'document')}, and a patch is one"
        errors.append(DescriptionError(message, where=documents[1].where, fix="make a file of each of them"))
        return
    patch = patch_reader.of_document(documents[0], component, errors)
    if patch:
        yield patch
