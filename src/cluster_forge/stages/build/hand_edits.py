"""Hand edits in `working/` taken into its record, so that cast delivers them."""

from __future__ import annotations

from dataclasses import replace

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ForgeError, ManifestError, leaves, raise_all
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import counted
from cluster_forge.gitops import sync_files
from cluster_forge.manifests.manifest import Document
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.ports.rendering import Renderer, RenderJob
from cluster_forge.record import Record
from cluster_forge.stages.build import render_jobs
from cluster_forge.stages.build.working_tree import FOLDER, WorkingTree


def with_edits(working: WorkingTree, renderer: Renderer) -> WorkingTree:
    """The folder with its edits taken into the record.

    Raises:
        ManifestError, ExceptionGroup: for edited files that do not hold exactly one object, and for folders that are not
            those of components.
    """
    return replace(working, record=_updated(working.record, working.tree, renderer)) if working.edited else working


def _updated(record: Record, tree: FileTree, renderer: Renderer) -> Record:
    """The record with the objects of changed and added files instead of what smelt wrote."""
    errors: list[ForgeError] = list(_unknown_folders(record, tree))
    parts = []
    for part in record.parts:
        edited = _edited_paths(part, record, tree)
        objects = [known for known in part.objects if known.path in tree.files and known.path not in edited]
        for path in sorted(edited):
            try:
                objects.append(_read(path, tree[path], part, renderer))
            except (ForgeError, ExceptionGroup) as error:
                errors += [leaf for leaf in leaves(error) if isinstance(leaf, ForgeError)]
        parts.append(replace(part, objects=tuple(sorted(objects, key=lambda known: known.path))))
    raise_all(errors)
    files = {path: Digest.of(content) for path, content in tree.files.items()}
    return replace(record, parts=tuple(parts), files=files)


def _unknown_folders(record: Record, tree: FileTree) -> list[ManifestError]:
    known = {str(part.name) for part in record.parts} | {*sync_files.FOLDERS.values()}
    return [
        ManifestError(
            "was added by hand, and is not the folder of a component",
            where=f"{FOLDER}/{name}",
            fix="describe it as a component in input/config.yaml",
        )
        for name in sorted({path.partition("/")[0] for path in tree} - known)
    ]


def _edited_paths(part: Part, record: Record, tree: FileTree) -> set[str]:
    """The changed and added files in the part's own folder; those in its ``hooks/`` are not applied."""
    return {
        path
        for path, content in tree.files.items()
        if path.startswith(f"{part.name}/") and path.count("/") == 1 and record.files.get(path) != Digest.of(content)
    }


def _read(path: str, content: bytes, part: Part, renderer: Renderer) -> PartObject:
    where = f"{FOLDER}/{path}"
    manifests = render_jobs.run(RenderJob(component=part.name, texts=[(where, content)]), renderer).manifests
    if len(manifests) != 1:
        raise ManifestError(f"holds {counted(len(manifests), 'object')}", where=where, fix="write one object to a file")
    (manifest,) = manifests
    as_edited = Document(json=manifest.document.json, text=content, facts=manifest.facts, is_emitted=False)
    return PartObject.of(replace(manifest, document=as_edited), path)
