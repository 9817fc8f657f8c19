"""`working/` as it is now: what smelt wrote, with the hand edits since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import EditedError, StaleError
from cluster_forge.foundation.file_tree import FileTree, TreeDigests
from cluster_forge.foundation.names import counted
from cluster_forge.ports.workspace import Workspace
from cluster_forge.record import RECORD, Record
from cluster_forge.stages.build.edits import Edit, EditKind, FileEdit
from cluster_forge.stages.build.way_out import WayOut
from cluster_forge.stages.toolbox import Toolbox

FOLDER = "working"
_MAX_SHOWN = 5

_NO_RECORD = Record(tool="", stack="", inputs=Digest.of(b""), revision="", parts=(), files={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """The record of the folder's files; ``edited`` lists those that differ from what smelt wrote."""

    record: Record
    edited: tuple[FileEdit, ...] = ()

    @property
    def is_smelted(self) -> bool:
        """Whether smelt wrote the folder; otherwise every file in it counts as edited."""
        return self.record is not _NO_RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingTree(Working):
    """The folder with the contents of its files."""

    tree: FileTree

    @property
    def executable(self) -> frozenset[str]:
        return self.tree.executable


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingState(Working):
    """The folder without contents.

    ``hidden`` are the hidden files beside the record: they are not part of the stack, but replacing the folder loses them.
    """

    digests: TreeDigests
    hidden: tuple[str, ...]

    @property
    def executable(self) -> frozenset[str]:
        return self.digests.executable


def load(files: Workspace) -> WorkingTree | None:
    """The folder as it is; None if it does not exist or is empty.

    Raises:
        StaleError: if the record is damaged.
    """
    tree = files.read_tree(FOLDER)
    if tree is None:
        return None
    known = _state(tree.digests, files)
    return WorkingTree(tree=tree, record=known.record, edited=known.edited) if known else None


def state(toolbox: Toolbox) -> WorkingState | None:
    """`load`, reading only what changed since it was last read.

    Raises:
        StaleError: if the record is damaged.
    """
    return _state(_digests(toolbox), toolbox.files)


def state_if_damaged(toolbox: Toolbox) -> WorkingState | None:
    """`state`; with a damaged record the folder as if smelt had not written it."""
    try:
        return state(toolbox)
    except StaleError:
        return _state(_digests(toolbox), toolbox.files, _NO_RECORD)


def refuse_loss(working: WorkingState | None, way_out: WayOut) -> None:
    """Raise if writing `working/` would lose what smelt cannot merge.

    Raises:
        EditedError: if smelt did not write the folder, if it has hidden files, or hand edits of another stack, environment or
            selection.
    """
    if working is None:
        return
    if not working.is_smelted:
        raise EditedError(
            f"has files that smelt did not write: {first_few([*working.digests.files, *working.hidden])}",
            where=f"{FOLDER}/",
            fix=f"move them away, or overwrite them: {way_out.discarding}",
        )
    if working.hidden:
        raise EditedError(
            f"has hidden files that smelt did not write: {first_few(working.hidden)}",
            where=f"{FOLDER}/",
            fix=f"move them away, or remove them: {way_out.discarding}",
        )
    if working.edited and working.record.holds != way_out.folder:
        raise EditedError(edited_by_hand(working), where=f"{FOLDER}/", fix=way_out.of_other_stack(working.record))


def lost_edits(working: WorkingState, to_write: FileTree, files: Workspace) -> Iterator[Edit]:
    """The edits that are not in ``to_write``, which replaces the folder. Hidden files never are."""
    for kind, path in working.edited:
        content = files.read(f"{FOLDER}/{path}") if path in working.digests.files else None
        if content != to_write.files.get(path):
            is_known = kind is EditKind.ADDED and path in to_write.files  # new only because the record is damaged
            yield Edit(path=f"{FOLDER}/{path}", kind=EditKind.EDITED if is_known else kind, content=content)
    for path in working.hidden:
        yield Edit(path=f"{FOLDER}/{path}", kind=EditKind.ADDED, content=files.read(f"{FOLDER}/{path}"))


def edited_contents(working: WorkingState, files: Workspace) -> Mapping[str, bytes]:
    """The edited files that are there."""
    there = [edit.path for edit in working.edited if edit.path in working.digests.files]
    read = ((path, files.read(f"{FOLDER}/{path}")) for path in there)
    return {path: content for path, content in read if content is not None}


def edited_by_hand(working: Working) -> str:
    """``2 files were edited by hand: web/a.yaml, + web/b.yaml``."""
    count = len(working.edited)
    return f"{counted(count, 'file')} {'was' if count == 1 else 'were'} edited by hand: {first_few([*map(str, working.edited)])}"


def first_few(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
    return f"{', '.join(names[:_MAX_SHOWN])}{more}"


def edited_files(record: Record, digests: TreeDigests) -> list[FileEdit]:
    """The files that differ from what smelt wrote."""
    known, present = record.files, digests.files
    changed = [path for path, digest in present.items() if known.get(path, digest) != digest]
    return [
        *(FileEdit(EditKind.EDITED, path) for path in changed),
        *(FileEdit(EditKind.ADDED, path) for path in present if path not in known),
        *(FileEdit(EditKind.DELETED, path) for path in known if path not in present),
    ]


def _state(digests: TreeDigests, files: Workspace, record: Record | None = None) -> WorkingState | None:
    """The state of the folder with those files; ``record``: instead of the one that is there."""
    hidden = _hidden(files)
    if not digests.files and not hidden:
        return None
    if record is None:
        content = files.read(RECORD)
        record = _NO_RECORD if content is None else Record.from_json(content)
    return WorkingState(digests=digests, record=record, edited=tuple(edited_files(record, digests)), hidden=hidden)


def _digests(toolbox: Toolbox) -> TreeDigests:
    """The digests of the folder's files; none if it does not exist."""
    return toolbox.digests.of([FOLDER]).get(FOLDER, TreeDigests({}))


def _hidden(files: Workspace) -> tuple[str, ...]:
    return tuple(name for name in files.names(FOLDER) if _is_hidden(name) and f"{FOLDER}/{name}" != RECORD)


def _is_hidden(path: str) -> bool:
    return path.startswith(".") or "/." in path
