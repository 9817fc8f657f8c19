"""The files of `working/`: the objects of every part, and the Applications that deliver them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops.argocd import applications as argocd
from cluster_forge.manifests import emitter
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import Stack

if TYPE_CHECKING:
    from cluster_forge.stages.build.assemble import Assembly


def lay_out(stack: Stack, assembly: Assembly) -> tuple[FileTree, str]:
    """The files of `working/`, and the revision that the Applications are pinned to."""
    applied = (part_object for part in assembly.parts for part_object in part.objects)
    files = {part_object.path: part_object.content for part_object in (*applied, *assembly.later_hooks)}
    return with_applications(stack, assembly.parts, files)


def with_applications(stack: Stack, parts: Sequence[Part], files: Mapping[str, bytes]) -> tuple[FileTree, str]:
    """``files`` and the Applications of the parts, and the revision (a tag) that all Applications are pinned to.

    The revision is computed from files and settings: an Application cannot name the commit that contains it.
    """
    unpinned = argocd.applications(stack, parts, "")
    revision = argocd.revision(parts, unpinned)
    applications = {
        f"{argocd.FOLDER}/{argocd.file_name(application, stack, parts)}": emitter.document(
            argocd.pinned(stack, application, revision)
        ).encode()
        for application in unpinned
    }
    return FileTree({**files, **applications}), revision
