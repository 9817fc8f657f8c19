"""The files of `working/`: the objects of every part, and those of the GitOps engine that delivers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.gitops import sync_files
from cluster_forge.manifests.part import Part
from cluster_forge.stack.model import Stack

if TYPE_CHECKING:
    from cluster_forge.stages.build.assembly.assemble import Assembly


def lay_out(stack: Stack, assembly: Assembly) -> tuple[FileTree, str]:
    """The files of `working/`, and the revision that they are pinned to."""
    applied = (part_object for part in assembly.parts for part_object in part.objects)
    files = {part_object.path: part_object.content for part_object in (*applied, *assembly.later_hooks)}
    return with_sync_files(stack, assembly.parts, files)


def with_sync_files(stack: Stack, parts: Sequence[Part], files: Mapping[str, bytes]) -> tuple[FileTree, str]:
    """``files`` and what the stack's GitOps engine syncs the parts by, and the revision that it is pinned to."""
    synced, revision = sync_files.of(stack, parts)
    return FileTree({**files, **synced}), revision
