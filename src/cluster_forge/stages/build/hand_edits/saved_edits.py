"""Which files of `working/` have an edit that was saved in ``input/``."""

from __future__ import annotations

from collections.abc import Iterable

from cluster_forge.ports.workspace import Workspace
from cluster_forge.stack.model import Stack
from cluster_forge.stack.saved_folders import objects_folder, patches_folder


def files(paths: Iterable[str], stack: Stack, workspace: Workspace) -> frozenset[str]:
    """Those of ``paths`` whose object has a saved patch, or is a saved object."""
    names = {
        str(component.name): {
            *workspace.names(patches_folder(component.name)),
            *workspace.names(objects_folder(component.name)),
        }
        for component in stack.components
    }
    return frozenset(path for path in paths if path.rpartition("/")[2] in names.get(path.partition("/")[0], ()))
