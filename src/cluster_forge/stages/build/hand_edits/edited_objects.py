"""Hand edits in `working/` taken into its record, so that cast delivers them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.error_groups import leaves, raise_all
from cluster_forge.foundation.errors import ForgeError, ManifestError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName, counted
from cluster_forge.gitops import sync_files
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body, Document, Manifest
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.ports.rendering import Renderer, RenderJob
from cluster_forge.record import Record
from cluster_forge.stages.build.hand_edits import placing
from cluster_forge.stages.build.hand_edits.placing import Place
from cluster_forge.stages.build.rendering import render_jobs
from cluster_forge.stages.build.working_tree import FOLDER, WorkingTree

_FIX: Final = "write one object into the file, or take the edit back: `cluster-forge customize drop NAME`"


def _as_it_is(manifest: Manifest) -> Manifest:
    return manifest


def with_edits(working: WorkingTree, renderer: Renderer, place: Place = _as_it_is) -> WorkingTree:
    """The folder with its edits taken into the record, each object in its namespace.

    Raises:
        ManifestError, ExceptionGroup: for edited files that do not hold one object of their own, and for folders that are not
            those of components.
    """
    return _updated(working, renderer, place) if working.edited else working


def _updated(working: WorkingTree, renderer: Renderer, place: Place) -> WorkingTree:
    """The folder whose record has the objects of changed and added files instead of what smelt wrote."""
    record, tree = working.record, working.tree
    errors: list[ForgeError] = list(_unknown_folders(record, tree))
    parts = []
    changed: set[str] = set()
    for part in record.parts:
        edited = _edited_paths(part, record, tree)
        changed |= edited
        objects = [known for known in part.objects if known.path in tree.files and known.path not in edited]
        for path in sorted(edited):
            try:
                objects.append(read_object(path, tree[path], part.name, renderer, place))
            except (ForgeError, ExceptionGroup) as error:
                errors += [leaf for leaf in leaves(error) if isinstance(leaf, ForgeError)]
        parts.append(replace(part, objects=tuple(sorted(objects, key=lambda known: known.path))))
    objects = [known for part in parts for known in part.objects]
    errors += made_twice(objects, changed).values()
    raise_all(errors)
    tree = FileTree(
        {**tree.files, **{known.path: known.content for known in objects if known.path in changed}}, tree.executable
    )
    files = {path: Digest.of(content) for path, content in tree.files.items()}
    return replace(working, tree=tree, record=replace(record, parts=tuple(parts), files=files))


def _unknown_folders(record: Record, tree: FileTree) -> list[ManifestError]:
    return [unknown_folder(name) for name in sorted({path.partition("/")[0] for path in tree} - known_folders(record))]


def known_folders(record: Record) -> frozenset[str]:
    """The folders of components, and those that a GitOps engine reads."""
    return frozenset((*map(str, (part.name for part in record.parts)), *sync_files.FOLDERS.values()))


def unknown_folder(name: str) -> ManifestError:
    """The error for a folder (or file) at the top of `working/` that is none of them."""
    return ManifestError(
        "was added by hand, and is not the folder of a component",
        where=f"{FOLDER}/{name}",
        fix="describe it as a component in input/config.yaml",
    )


def made_twice(objects: Iterable[PartObject], edited: Collection[str]) -> Mapping[str, ManifestError]:
    """The error for each edited file whose object another file has, too: a cluster has it once, as whichever comes last."""
    paths: dict[ObjectId, list[str]] = {}
    for known in objects:
        paths.setdefault(known.id, []).append(known.path)
    return {
        path: ManifestError(
            f"holds {identity}, which {FOLDER}/{next(other for other in places if other != path)} holds, too",
            where=f"{FOLDER}/{path}",
            fix="edit that file and remove this one, or give the object another name",
        )
        for identity, places in paths.items()
        for path in places
        if len(places) > 1 and path in edited
    }


def _edited_paths(part: Part, record: Record, tree: FileTree) -> set[str]:
    """The changed and added files in the part's own folder; those in its ``hooks/`` are not applied."""
    return {
        path
        for path, content in tree.files.items()
        if path.startswith(f"{part.name}/") and path.count("/") == 1 and record.files.get(path) != Digest.of(content)
    }


def read_object(
    path: str, content: bytes, component: ComponentName, renderer: Renderer, place: Place = _as_it_is
) -> PartObject:
    """The object in a file of `working/`, whose text stays as it was written, unless ``place`` gives it a namespace.

    Raises:
        ManifestError, ExceptionGroup: if it does not hold exactly one object, or has a key twice.
    """
    where = f"{FOLDER}/{path}"

    def job(text: bytes) -> RenderJob:
        return RenderJob(component=component, texts=[(where, text)])

    manifests = _manifests(job(content), renderer)
    if len(manifests) != 1:
        raise ManifestError(f"holds {counted(len(manifests), 'object')}", where=where, fix=_FIX)
    (manifest,) = manifests
    if repeated := manifest.facts.repeated_keys:
        raise ManifestError(
            f"has a key twice: {', '.join(repeated)}; only the last one counts",
            where=where,
            fix="put what is below both under one of them",
        )
    placed = place(manifest)
    if placed is not manifest:
        content = placing.text(content, manifest, placed, lambda text: _only(_manifests(job(text), renderer)))
    as_edited = Document(json=placed.document.json, text=content, facts=manifest.facts, is_emitted=False)
    return PartObject.of(replace(placed, document=as_edited), path)


def _only(manifests: Sequence[Manifest]) -> Body:
    """The object, if there is one; nothing otherwise."""
    return manifests[0].body if len(manifests) == 1 else {}


def _manifests(job: RenderJob, renderer: Renderer) -> Sequence[Manifest]:
    try:
        return render_jobs.run(job, renderer).manifests
    except (ForgeError, ExceptionGroup) as error:
        raise_all(
            type(leaf)(leaf.message, where=leaf.where, fix=_FIX)
            for leaf in leaves(error)
            if isinstance(leaf, ForgeError)
        )
        raise
