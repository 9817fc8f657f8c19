"""`working/` as it is now: what smelt wrote, with the hand edits that were made since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster_forge.record import RECORD, ObjectRecord, Record
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.manifests.manifest import Manifest
from cluster_forge.ports.workspace import Workspace

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


def look(files: Workspace) -> Working | None:
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
