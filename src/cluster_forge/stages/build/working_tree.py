"""`working/` as it is now: what smelt wrote, with the hand edits since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.workspace import Workspace
from cluster_forge.record import RECORD, Record

FOLDER = "working"
_MAX_SHOWN = 5

_NO_RECORD = Record(tool="", stack="", inputs=Digest.of(b""), revision="", parts=(), files={})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingTree:
    """The files of the folder and their record; ``edited`` lists the files that differ from what smelt wrote.

    ``hidden`` are the hidden files beside the record: they are not part of the stack, but replacing the folder loses them.
    """

    tree: FileTree
    record: Record
    edited: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def is_smelted(self) -> bool:
        """Whether smelt wrote the folder; otherwise every file in it counts as edited."""
        return self.record is not _NO_RECORD


def load(files: Workspace) -> WorkingTree | None:
    """The folder as it is; None if it does not exist or is empty.

    Raises:
        StaleError: if the record is damaged.
    """
    tree = files.read_tree(FOLDER)
    if tree is None:
        return None
    hidden = tuple(name for name in files.names(FOLDER) if _is_hidden(name) and f"{FOLDER}/{name}" != RECORD)
    if not len(tree) and not hidden:
        return None
    content = files.read(RECORD)
    record = _NO_RECORD if content is None else Record.from_json(content)
    return WorkingTree(tree=tree, record=record, edited=tuple(edited_files(record, tree)), hidden=hidden)


def refuse_edits(working: WorkingTree | None) -> None:
    """Raise if writing `working/` would lose hand edits.

    Raises:
        EditedError: if a file differs from what smelt wrote, or if smelt did not write the folder.
    """
    if working is None:
        return
    if not working.is_smelted:
        raise EditedError(
            f"has files that smelt did not write: {first_few([*working.tree, *working.hidden])}",
            where=f"{FOLDER}/",
            fix="move them away, or overwrite them with --discard-edits",
        )
    if working.hidden:
        raise EditedError(
            f"has hidden files that smelt did not write: {first_few(working.hidden)}",
            where=f"{FOLDER}/",
            fix="move them away, or remove them with --discard-edits",
        )
    if working.edited:
        raise EditedError(
            f"{edited_by_hand(working)}{_of(working.record)}",
            where=f"{FOLDER}/",
            fix="cast them as they are (`cluster-forge cast`), or overwrite them with --discard-edits",
        )


def _of(record: Record) -> str:
    """Whose edits these are, unless it is the whole stack without an environment."""
    return f" ({FOLDER}/ is smelted for {record.folder})" if record.folder != record.stack else ""


def edited_by_hand(working: WorkingTree) -> str:
    """``2 files were edited by hand: web/a.yaml, + web/b.yaml``."""
    count = "1 file was" if len(working.edited) == 1 else f"{len(working.edited)} files were"
    return f"{count} edited by hand: {first_few(working.edited)}"


def first_few(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
    return f"{', '.join(names[:_MAX_SHOWN])}{more}"


def edited_files(record: Record, tree: FileTree) -> list[str]:
    """The files that differ from what smelt wrote: changed, added (``+ ``) or deleted (``- ``)."""
    known = record.files
    changed = [path for path, content in tree.files.items() if path in known and Digest.of(content) != known[path]]
    added = [f"+ {path}" for path in tree if path not in known]
    return sorted(changed) + added + [f"- {path}" for path in known if path not in tree.files]


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))
