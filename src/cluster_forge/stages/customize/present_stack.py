"""What saving edits needs of the stack as it is described now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.merge_keys import MergeKeys
from cluster_forge.record import Record
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.working_tree import FOLDER
from cluster_forge.stages.customize.edited_files import EditedFile
from cluster_forge.stages.toolbox import Toolbox


def without_patches(stack: Stack, paths: Collection[str]) -> Stack:
    """The stack as it would be without the patches in these files."""

    def reduced(component: Component) -> Component:
        kept = tuple(patch for patch in component.changes.patches if patch.where.rpartition(":")[0] not in paths)
        return replace(component, changes=replace(component.changes, patches=kept))

    return replace(stack, components=tuple(map(reduced, stack.components)))


def merge_keys(minor: int, record: Record, edited: Iterable[EditedFile], toolbox: Toolbox) -> MergeKeys:
    """The schemas of the kinds of edited objects, for a cluster of this minor version; CRDs are those in `working/`."""
    groups = {known.id.group for file in edited for known in (file.before, file.after) if known}
    return MergeKeys.of(minor, _definitions(groups, record, toolbox))


def _definitions(groups: Collection[str], record: Record, toolbox: Toolbox) -> Iterator[Body]:
    """The CRDs of these groups: the name of one ends with its group."""
    for known in (known for part in record.parts for known in part.objects if known.kind == CRD):
        if known.id.name.partition(".")[2] in groups:
            content = toolbox.files.read(f"{FOLDER}/{known.path}")
            if content is not None:
                yield toolbox.reader.read(content.decode())
