"""`working/` as it is now: what smelt wrote, with the hand edits that were made since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cluster_forge.bundle import RECORD, ObjectRecord, PartRecord, Record
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError, ForgeError, ManifestError, leaves, raise_all
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops import argocd
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports import Maker, Order, StackFiles
from cluster_forge.stages import documents

FOLDER, LATER = "working", "hooks"
_SHOWN = 5

NO_RECORD = Record(tool="", stack="", inputs=Digest.of(b""), revision="", parts=(), files={})
"""Of a folder that smelt did not make: it holds nothing that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """The folder's files and the record of them; ``edited`` lists what is not as smelt wrote it."""

    tree: FileTree
    record: Record
    edited: tuple[str, ...] = ()


def object_record(manifest: Manifest, path: str) -> ObjectRecord:
    """What cast has to know of an object that lies in the file ``path`` of `working/`."""
    return ObjectRecord(
        path=path,
        id=manifest.id,
        digest=Digest.of(manifest.text),
        images=manifest.facts.images,
        hook=manifest.facts.hook,
        weight=manifest.facts.weight,
    )


def edits(record: Record, tree: FileTree) -> list[str]:
    """The files that are not as smelt wrote them: changed, added (``+ ``) or deleted (``- ``)."""
    known = record.files
    changed = [path for path, content in tree.files.items() if path in known and Digest.of(content) != known[path]]
    added = [f"+ {path}" for path in tree if path not in known]
    return sorted(changed) + added + [f"- {path}" for path in known if path not in tree.files]


def shown(found: Sequence[str]) -> str:
    """The first few of them."""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{', '.join(found[:_SHOWN])}{more}"


def look(files: StackFiles) -> Working | None:
    """The folder as it is, with an empty record if smelt did not make it; None where there is nothing in it.

    Raises:
        StaleError: if the record is damaged.
    """
    tree = files.read_tree(FOLDER)
    if tree is None or not len(tree):
        return None
    content = files.read(RECORD)
    record = NO_RECORD if content is None else Record.from_json(content)
    return Working(tree=tree, record=record, edited=tuple(edits(record, tree)))


def refuse_edits(found: Working | None) -> None:
    """See to it that nothing is lost by writing `working/` anew.

    Raises:
        EditedError: if it is not as smelt left it; one that smelt did not make counts as edited too.
    """
    if found is None:
        return
    if found.record is NO_RECORD:
        raise EditedError(
            f"holds files that smelt did not write: {shown(list(found.tree))}",
            where=f"{FOLDER}/",
            fix="move them away, or give them up with --discard-edits",
        )
    if found.edited:
        what = "1 file was" if len(found.edited) == 1 else f"{len(found.edited)} files were"
        raise EditedError(
            f"{what} edited by hand: {shown(found.edited)}",
            where=f"{FOLDER}/",
            fix="cast them as they are (`cluster-forge cast`), or give them up with --discard-edits",
        )


def with_edits(found: Working, maker: Maker) -> Working:
    """The folder with its edits taken into the record.

    Raises:
        ManifestError, ExceptionGroup: for edited files that hold no object, or several.
    """
    return replace(found, record=_updated(found.record, found.tree, maker)) if found.edited else found


def _updated(record: Record, tree: FileTree, maker: Maker) -> Record:
    """The record with the objects of changed and added files in place of those that smelt wrote."""
    errors: list[ForgeError] = []
    parts = {part.name: part for part in record.parts}
    for name in sorted({path.partition("/")[0] for path in tree} - parts.keys() - {argocd.FOLDER}):
        message = "was added by hand, and belongs to no component"
        errors.append(ManifestError(message, where=f"{FOLDER}/{name}", fix="describe it as a component in input/"))
    updated = []
    for part in record.parts:
        kept = [each for each in part.objects if each.path in tree.files]
        changed = _changed(part, record, tree)
        new = []
        for path in sorted(changed):
            try:
                new.append(_read(path, tree[path], part, maker))
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


def _read(path: str, content: bytes, part: PartRecord, maker: Maker) -> ObjectRecord:
    where = f"{FOLDER}/{path}"
    found, _ = documents.made(Order(component=ComponentName(part.name), texts=[(where, content)]), maker)
    if len(found) != 1:
        raise ManifestError(f"holds {len(found)} objects", where=where, fix="keep one object to a file")
    return replace(object_record(found[0], path), digest=Digest.of(content))
