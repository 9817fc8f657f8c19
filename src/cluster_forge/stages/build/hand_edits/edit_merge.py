"""Hand edits in `working/` and what smelt makes now, merged file by file.

*Base* is what smelt wrote last, *theirs* what it makes now, *mine* the file with the edit. An edit stays where nothing else
changed the same; it is dropped where smelt makes the same now; otherwise it is a conflict, and the caller decides. What smelt
makes stays the measure: the record has its digests, so that edits are edits until they are saved or dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.record import Record
from cluster_forge.stages.build.edits import EditKind, FileEdit
from cluster_forge.stages.build.hand_edits import bases
from cluster_forge.stages.build.hand_edits.file_merge import Decide, FileMerge, MergeObjects, Versions, merge


class MergeChoice(StrEnum):
    """How every conflict is decided: for the edits, or for what smelt makes now."""

    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedFolder:
    """`working/` before it is written: its record, the edits, and the contents of edited files that are there.

    ``gone`` are the folders of components that are not in the stack any more, ``made_elsewhere`` the files whose object smelt
    makes now in another file.
    """

    record: Record
    edited: Sequence[FileEdit]
    contents: Mapping[str, bytes]
    executable: frozenset[str]
    gone: frozenset[str]
    made_elsewhere: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedEdits:
    """The content of `working/` with its edits, those that are left in it, and what became of each edited file."""

    tree: FileTree
    edited: tuple[FileEdit, ...] = ()
    files: Mapping[str, FileMerge] = field(default_factory=dict)


def always(choice: MergeChoice) -> Decide:
    """Every conflict in the same way."""
    return lambda _: choice is MergeChoice.OURS


def merged(
    folder: EditedFolder, fresh: FileTree, known: Mapping[str, bytes], merge_objects: MergeObjects, decide: Decide
) -> MergedEdits:
    """``fresh``, which smelt makes now, with the edits; ``known`` are the files that it wrote last, where they are known."""
    former = folder.record.files
    base = {**bases.made_again(folder.record, fresh.files, (edit.path for edit in folder.edited)), **known}
    files = {
        path: merge(
            Versions(
                path=path,
                base=base.get(path),
                theirs=fresh.files.get(path),
                mine=None if path in folder.made_elsewhere else folder.contents.get(path),
                is_base_lost=path in former and path not in base,
                has_component=path.partition("/")[0] not in folder.gone,
            ),
            decide,
            merge_objects,
        )
        for _, path in folder.edited
    }
    contents = {**fresh.files, **{path: file.content for path, file in files.items()}}
    tree = FileTree(
        {path: content for path, content in contents.items() if content is not None},
        fresh.executable | (folder.executable & files.keys()),
    )
    left = (_left(path, file.content, fresh) for path, file in files.items())
    return MergedEdits(tree=tree, edited=tuple(edit for edit in left if edit), files=files)


def _left(path: str, content: bytes | None, fresh: FileTree) -> FileEdit | None:
    """The edit that is left in a file; None if there is none."""
    theirs = fresh.files.get(path)
    if content == theirs:
        return None
    kind = EditKind.DELETED if content is None else EditKind.ADDED if theirs is None else EditKind.EDITED
    return FileEdit(kind, path)
