"""Hand edits in `working/` taken into its record, so that they are cast as they are."""

from __future__ import annotations

from dataclasses import replace

from cluster_forge.record import ObjectRecord, PartRecord, Record
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ForgeError, ManifestError, leaves, raise_all
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.argocd import applications
from cluster_forge.ports.rendering import Renderer, RenderJob
from cluster_forge.stages.build import render_jobs
from cluster_forge.stages.build.working_tree import FOLDER, Working, object_record


def with_edits(found: Working, renderer: Renderer) -> Working:
    """The folder with its edits taken into the record.

    Raises:
        ManifestError, ExceptionGroup: for edited files that hold no object, or several.
    """
    return replace(found, record=_updated(found.record, found.tree, renderer)) if found.edited else found


def _updated(record: Record, tree: FileTree, renderer: Renderer) -> Record:
    """The record with the objects of changed and added files in place of those that smelt wrote."""
    errors: list[ForgeError] = []
    parts = {part.name: part for part in record.parts}
    for name in sorted({path.partition("/")[0] for path in tree} - parts.keys() - {applications.FOLDER}):
        message = "was added by hand, and belongs to no component"
        errors.append(ManifestError(message, where=f"{FOLDER}/{name}", fix="describe it as a component in input/"))
    updated = []
    for part in record.parts:
        kept = [each for each in part.objects if each.path in tree.files]
        changed = _changed(part, record, tree)
        new = []
        for path in sorted(changed):
            try:
                new.append(_read(path, tree[path], part, renderer))
            except (ForgeError, ExceptionGroup) as error:
                errors += [each for each in leaves(error) if isinstance(each, ForgeError)]
        objects = sorted([*(each for each in kept if each.path not in changed), *new], key=lambda each: each.path)
        updated.append(replace(part, objects=tuple(objects)))
    raise_all(errors)
    files = {path: Digest.of(content) for path, content in tree.files.items()}
    return replace(record, parts=tuple(updated), files=files)


def _changed(part: PartRecord, record: Record, tree: FileTree) -> set[str]:
    """The part's own files (not those of its ``hooks/``) that smelt wrote otherwise, or not at all."""
    return {
        path
        for path, content in tree.files.items()
        if path.startswith(f"{part.name}/") and path.count("/") == 1 and record.files.get(path) != Digest.of(content)
    }


def _read(path: str, content: bytes, part: PartRecord, renderer: Renderer) -> ObjectRecord:
    where = f"{FOLDER}/{path}"
    found, _ = render_jobs.made(RenderJob(component=ComponentName(part.name), texts=[(where, content)]), renderer)
    if len(found) != 1:
        raise ManifestError(f"holds {len(found)} objects", where=where, fix="keep one object to a file")
    return replace(object_record(found[0], path), digest=Digest.of(content))
