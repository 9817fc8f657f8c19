"""The hand edits of `working/` in what smelt is about to write there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from cluster_forge.foundation.errors import ForgeError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.facts import CRD
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.merge_keys import MergeKeys
from cluster_forge.patches.sameness import same
from cluster_forge.record import Record
from cluster_forge.stack.saved_folders import objects_folder
from cluster_forge.stages.build import working_tree
from cluster_forge.stages.build.edits import FileEdit
from cluster_forge.stages.build.hand_edits import bases, edit_findings, edit_merge, edited_objects, saved_edits
from cluster_forge.stages.build.hand_edits.edit_merge import EditedFolder, MergedEdits
from cluster_forge.stages.build.hand_edits.file_merge import Decide
from cluster_forge.stages.build.hand_edits.object_merge import ObjectMerge
from cluster_forge.stages.build.way_out import CommandLine
from cluster_forge.stages.build.working_tree import WorkingState
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.stages.build.fresh import Fresh


def merged(
    present: WorkingState, fresh: Fresh, decide: Decide, toolbox: Toolbox, command: CommandLine
) -> tuple[MergedEdits, tuple[Finding, ...]]:
    """``fresh`` with the edits of ``present``, and the findings about them; ``command`` is that of the verb."""
    paths = [edit.path for edit in present.edited]
    there = working_tree.edited_contents(present, toolbox.files)
    elsewhere = frozenset(made_elsewhere(present.edited, there, fresh, toolbox))
    folder = EditedFolder(
        record=present.record,
        edited=present.edited,
        contents=there,
        executable=present.executable,
        gone=edited_objects.known_folders(present.record) - edited_objects.known_folders(fresh.record),
        made_elsewhere=elsewhere,
    )
    known = bases.find(present.record, paths, toolbox.bases)
    result = edit_merge.merged(folder, fresh.tree, known, _object_merge(fresh, paths, toolbox), decide)
    saved = elsewhere | saved_edits.files(paths, fresh.stack, toolbox.files)
    components = {str(part.name): part.name for record in (present.record, fresh.record) for part in record.parts}
    findings = edit_findings.of(result.files, components, _objects(present.record, fresh.record).get, command, saved)
    return result, tuple(findings)


def made_elsewhere(
    edited: Sequence[FileEdit], there: Mapping[str, bytes], fresh: Fresh, toolbox: Toolbox
) -> Iterator[str]:
    """The files whose object smelt makes now in another file of the same component, as after saving it.

    A saved object may get more on its way through the stack: labels of the description, an annotation of the engine.
    """
    objects = {(known.path.partition("/")[0], known.id): known for part in fresh.record.parts for known in part.objects}
    not_made = [path for _, path in edited if path in there and path not in fresh.tree.files]
    namespaces = {str(part.name): part.namespace for part in fresh.record.parts}
    for path in not_made:
        folder = path.partition("/")[0]
        mine = _read_if_object(path, there[path], toolbox) if folder in namespaces else None
        if mine is None:
            continue
        saved = toolbox.files.read(f"{objects_folder(folder)}/{ObjectId.of(mine).file_name}") == there[path]
        for body in (mine, _in_namespace(mine, namespaces[folder])):
            known = objects.get((folder, ObjectId.of(body)))
            if known and (saved or same(known.body, body)):
                yield path
                break


def _in_namespace(body: Body, namespace: str) -> Body:
    return {**body, "metadata": {"namespace": namespace, **body["metadata"]}}


def _read_if_object(path: str, content: bytes, toolbox: Toolbox) -> Body | None:
    try:
        return edited_objects.read_object(path, content, ComponentName(path.partition("/")[0]), toolbox.renderer).body
    except (ForgeError, ExceptionGroup):
        return None


def _object_merge(fresh: Fresh, paths: Sequence[str], toolbox: Toolbox) -> ObjectMerge:
    def read_edited(path: str, content: bytes) -> Body:
        return edited_objects.read_object(path, content, ComponentName(path.partition("/")[0]), toolbox.renderer).body

    return ObjectMerge(
        read_edited=read_edited,
        read=toolbox.reader.read,
        merge_keys=cache(lambda: schemas(fresh.stack.target.kubernetes.minor, fresh.record, paths)),
    )


def schemas(minor: int, record: Record, paths: Collection[str]) -> MergeKeys:
    """The schemas of the kinds of the objects in these files, for a cluster of this minor version.

    ``record`` has the documents of the stack's CRDs.
    """
    objects = [known for part in record.parts for known in part.objects]
    kinds = {known.kind for known in objects if known.path in paths}
    definitions = (
        known.body
        for known in objects
        if known.kind == CRD and known.document and (defined := known.document.facts.defines)
        if (defined.group, defined.kind) in kinds
    )
    return MergeKeys.of(minor, definitions)


def _objects(*records: Record) -> dict[str, ObjectId]:
    """The objects by their files; those of the last record win."""
    return {known.path: known.id for record in records for part in record.parts for known in part.objects}
