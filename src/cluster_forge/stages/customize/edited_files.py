"""The files of `working/` that were edited by hand: the object that smelt wrote, and the one that is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cluster_forge.foundation.error_groups import leaves
from cluster_forge.foundation.errors import ForgeError, StaleError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body
from cluster_forge.manifests.part import PartObject
from cluster_forge.record import Record
from cluster_forge.stages.build import working_tree
from cluster_forge.stages.build.edits import EditKind, FileEdit
from cluster_forge.stages.build.hand_edits import bases
from cluster_forge.stages.build.working_tree import FOLDER, WorkingState
from cluster_forge.stages.toolbox import Toolbox

if TYPE_CHECKING:
    from cluster_forge.manifests.comparison.excerpts import Excerpts
    from cluster_forge.stack.model import Stack
    from cluster_forge.stages.build.hand_edits.placing import Place

Excerpt = Callable[[bytes, bytes], "Excerpts | None"]
"""What of two versions of a file is to be read, if not everything; see `manifests.comparison.excerpts`."""

MakeAgain = Callable[[], Mapping[str, bytes]]
"""The files that smelt makes from the present inputs, for those whose base is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedFile:
    """One edited file, and its object before and after the edit; None where there is none.

    ``problems`` say why an object that is there cannot be read. Both objects may be without fields that are the same (`Excerpt`).
    """

    edit: FileEdit
    before: PartObject | None = None
    after: PartObject | None = None
    problems: tuple[ForgeError, ...] = ()

    @property
    def folder(self) -> str:
        """The folder of `working/` that it is in: that of its component, or of a GitOps engine."""
        return self.edit.path.partition("/")[0]

    @property
    def id(self) -> ObjectId | None:
        """The object's identity; of a renamed one the former."""
        known = self.before or self.after
        return known.id if known else None

    @property
    def is_renamed(self) -> bool:
        """Whether the edit made another object of it: that removes one and adds one."""
        return bool(self.before and self.after and self.before.id != self.after.id)


def state(toolbox: Toolbox) -> WorkingState:
    """`working/` with its edits.

    Raises:
        StaleError: if smelt did not write it, or if its record is damaged.
    """
    working = working_tree.state(toolbox)
    if working is None or not working.is_smelted:
        raise StaleError("smelt has not written working/ yet", fix="run `cluster-forge smelt` (or `forge`)")
    return working


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentInputs:
    """What the present inputs give: the ``stack``, asked for only if an edited object has no namespace, since it is shown in that
    which smelt gives it, and the ``files`` that smelt makes, only if what it wrote is not known any more.
    """

    stack: Callable[[], Stack]
    files: MakeAgain


def read(
    working: WorkingState,
    edited: Sequence[FileEdit],
    toolbox: Toolbox,
    inputs: PresentInputs,
    excerpt: Excerpt = lambda _before, _after: None,
) -> tuple[EditedFile, ...]:
    """The edited files, by path. A file in whose ``excerpt`` is a problem is read as a whole."""
    if not edited:
        return ()
    known = bases_of(working.record, edited, toolbox, inputs.files)
    present = working_tree.edited_contents(working, toolbox.files)
    reading = _Reading(working.record, toolbox, inputs.stack, excerpt)
    files = [reading.file(edit, known, present) for edit in sorted(edited, key=_path)]
    return tuple(_once(files, working))


def _once(files: Sequence[EditedFile], working: WorkingState) -> Iterator[EditedFile]:
    """The files, each with a problem if another file has its object, too."""
    from cluster_forge.stages.build.hand_edits import edited_objects  # noqa: PLC0415 - the same

    changed = {path for _, path in working.edited}
    objects = [known for part in working.record.parts for known in part.objects if known.path not in changed]
    objects += [file.after for file in files if file.after]
    twice = edited_objects.made_twice(objects, {file.edit.path for file in files})
    for file in files:
        error = twice.get(file.edit.path)
        yield replace(file, problems=(*file.problems, error)) if error else file


def _path(edit: FileEdit) -> str:
    return edit.path


def bases_of(
    record: Record, edited: Iterable[FileEdit], toolbox: Toolbox, make_again: MakeAgain
) -> Mapping[str, bytes]:
    """What smelt wrote, by path.

    Raises:
        StaleError: if it is not known any more, and the present inputs give something else.
    """
    paths = [path for kind, path in edited if kind is not EditKind.ADDED]
    known = bases.find(record, paths, toolbox.bases)
    lost = [path for path in paths if path not in known]
    if not lost:
        return known
    again = bases.made_again(record, make_again(), lost)
    if still_lost := [path for path in lost if path not in again]:
        raise StaleError(
            f"what smelt wrote is not known any more, so edits cannot be separated from it: {working_tree.first_few(still_lost)}",
            where=f"{FOLDER}/",
            fix="restore the description, lock and input/ of the last smelt (from Git) and try again, or decide the whole "
            "files: `cluster-forge smelt --merge ours` keeps them, `--merge theirs` replaces them",
        )
    return {**known, **again}


class _Reading:
    """Reads edited files; ``record`` is that of `working/`."""

    def __init__(self, record: Record, toolbox: Toolbox, stack: Callable[[], Stack], excerpt: Excerpt) -> None:
        from cluster_forge.stages.build.hand_edits import edited_objects, placing  # noqa: PLC0415 - 0.1 s, for edits alone

        self._folders = edited_objects.known_folders(record)
        self._toolbox = toolbox
        self._excerpt = excerpt
        self._place = placing.of(stack, record, self._body)

    def file(self, edit: FileEdit, known: Mapping[str, bytes], present: Mapping[str, bytes]) -> EditedFile:
        """An edited file; ``known`` is what smelt wrote, by path, ``present`` what is there."""
        from cluster_forge.stages.build.hand_edits import edited_objects  # noqa: PLC0415 - the same

        folder = edit.path.partition("/")[0]
        if folder not in self._folders:
            return EditedFile(edit=edit, problems=(edited_objects.unknown_folder(folder),))
        before, after = known.get(edit.path), present.get(edit.path)
        if before and after and (excerpts := self._excerpt(before, after)):
            file = self._between(edit, *excerpts)
            if not file.problems:
                return file
        return self._between(edit, before, after)

    def _between(self, edit: FileEdit, before: bytes | None, after: bytes | None) -> EditedFile:
        former, old = self._object(edit.path, before, lambda manifest: manifest)
        present, new = self._object(edit.path, after, self._place)
        return EditedFile(edit=edit, before=former, after=present, problems=(*old, *new))

    def _object(
        self, path: str, content: bytes | None, place: Place
    ) -> tuple[PartObject | None, tuple[ForgeError, ...]]:
        from cluster_forge.stages.build.hand_edits import edited_objects  # noqa: PLC0415 - the same

        if content is None:
            return None, ()
        component = ComponentName(path.partition("/")[0])
        try:
            return edited_objects.read_object(path, content, component, self._toolbox.renderer, place), ()
        except (ForgeError, ExceptionGroup) as error:
            return None, tuple(leaf for leaf in leaves(error) if isinstance(leaf, ForgeError))

    def _body(self, path: str) -> Body | None:
        content = self._toolbox.files.read(f"{FOLDER}/{path}")
        return self._toolbox.reader.read(content.decode()) if content else None
