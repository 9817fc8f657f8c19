"""save: hand edits of `working/` as patches and objects in ``input/``, which outlive that folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cluster_forge.foundation.error_groups import expected, raise_all
from cluster_forge.foundation.errors import DescriptionError
from cluster_forge.manifests import comments
from cluster_forge.manifests.field_schema import FieldSchema
from cluster_forge.manifests.identity import ObjectId, group_of
from cluster_forge.manifests.manifest import Body, Manifest, Provenance
from cluster_forge.manifests.merge_keys import MergeKeys
from cluster_forge.manifests.part import PartObject
from cluster_forge.patches import patch_file
from cluster_forge.patches.sameness import same
from cluster_forge.patches.smallest import JsonPatch, Patch, partial_object, smallest
from cluster_forge.stack.component import Component
from cluster_forge.stack.model import Stack
from cluster_forge.stack.saved_folders import objects_folder, patches_folder
from cluster_forge.stages.build.assembly import after_changes
from cluster_forge.stages.build.rendering import sourced_tree
from cluster_forge.stages.customize.edited_files import EditedFile
from cluster_forge.stages.customize.saved_files import SavedFiles
from cluster_forge.yaml import positioned_reader


class Form(StrEnum):
    """What an edit of an object becomes: the smallest patch, or a partial object, merged into the object, which may repeat
    a list or a text for one change in it.
    """

    PATCH = "patch"
    OVERLAY = "overlay"


class Saved(StrEnum):
    """What a hand edit was saved as."""

    PATCH = "patch"
    JSON_PATCH = "json-patch"
    DELETION = "deletion"
    OBJECT = "object"
    NOTHING = "nothing"
    """A saved patch or object was taken back: the edit makes what there would be without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedEdit:
    """An object with its edit, and the file that the edit is in now; ``reason`` says why it is in none."""

    component: str
    id: ObjectId
    how: Saved | None = None
    path: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveRequest:
    """``stack`` is as it is described now; ``unpatched`` makes the files of `working/` without the patches in these saved
    files, ``read`` reads one. ``form`` is that of every patch.
    """

    edited: Sequence[EditedFile]
    stack: Stack
    merge_keys: MergeKeys
    unpatched: Callable[[Collection[str]], Mapping[str, bytes]]
    read: Callable[[str], Body]
    form: Form = Form.PATCH


_NO_COMPONENT: Final = (
    "it is made from all components together, so no component can hold the patch; it stays a hand edit"
)
_TEXT_ONLY: Final = "only comments or the way it is written differ: there is nothing to save"
_NO_OVERLAY: Final = "a partial object cannot say it, so it stays a hand edit; `customize save` without --as can"
_NO_NAME: Final = "it has no metadata.name, so a patch cannot name it; it stays a hand edit"


def save(request: SaveRequest, files: SavedFiles) -> tuple[SavedEdit, ...]:
    """Save the edits.

    Raises:
        ForgeError, ExceptionGroup: for files that do not hold one object; then nothing is saved.
        WorkspaceError: if a file cannot be written; then none is.
    """
    raise_all(problem for file in request.edited for problem in file.problems)
    patched = [path for file in request.edited for path in _saved_before(file, files)]
    saver = _Saver(request, files, request.unpatched(patched) if patched else {})
    saved = tuple(one for file in request.edited for one in saver.saved(file))
    files.write()
    return saved


def _saved_before(file: EditedFile, files: SavedFiles) -> list[str]:
    """The saved patches of the objects in an edited file."""
    known = [item for item in (file.before, file.after) if item]
    paths = (files.patch(file.folder, item.id.file_name) for item in known)
    return list(dict.fromkeys(path for path in paths if path))


class _Saver:
    """Saves one file after the other; ``unpatched`` are the files without the saved patches of edited objects."""

    def __init__(self, request: SaveRequest, files: SavedFiles, unpatched: Mapping[str, bytes]) -> None:
        self._request = request
        self._files = files
        self._unpatched = unpatched
        self._components = {str(component.name): component for component in request.stack.components}

    def saved(self, file: EditedFile) -> list[SavedEdit]:
        before, after = file.before, file.after
        if file.is_renamed:
            return [*self._of(file, before, None), *self._of(file, None, after)]
        return self._of(file, before, after)

    def _of(self, file: EditedFile, before: PartObject | None, after: PartObject | None) -> list[SavedEdit]:
        known = after or before
        if known is None:
            return []
        if reason := self._unsaved(file, before, after):
            return [SavedEdit(component=file.folder, id=known.id, reason=reason)]
        name = known.id.file_name
        base = self._base(file, name, before)
        if self._files.object(file.folder, name) or base is None:
            return [self._as_object(file.folder, known.id, after)]
        return [self._as_patch(file.folder, known.id, base, after)]

    def _unsaved(self, file: EditedFile, before: PartObject | None, after: PartObject | None) -> str:
        """Why the edit cannot be saved; empty if it can."""
        component = self._components.get(file.folder)
        if component is None:
            return _NO_COMPONENT
        if before and after and same(before.body, after.body):
            return _TEXT_ONLY
        if before and "name" not in before.body["metadata"]:
            return _NO_NAME
        if after and (reason := self._undone(component, before, after)):
            return f"{reason}; it stays a hand edit"
        return ""

    def _undone(self, component: Component, before: PartObject | None, after: PartObject) -> str:
        """Why smelt would not make what the edit says; empty if it would. An added object may get more on its way."""
        edited = _manifest(component, after)
        if before:
            return after_changes.undone(_manifest(component, before), edited, self._request.stack)
        excluded = sorted(sourced_tree.exclude_names(edited) & set(component.exclude))
        return f"`exclude: {excluded[0]}` takes it out of the stack" if excluded else ""

    def _base(self, file: EditedFile, name: str, before: PartObject | None) -> Body | None:
        """The object without the edit, and without its saved patch; None if there is none."""
        if self._files.patch(file.folder, name):
            content = self._unpatched.get(file.edit.path) or self._unpatched.get(f"{file.folder}/{name}")
            return self._request.read(content.decode()) if content else None
        return before.body if before else None

    def _as_object(self, component: str, identity: ObjectId, after: PartObject | None) -> SavedEdit:
        """The object itself, as its file has it."""
        path = f"{objects_folder(component)}/{identity.file_name}"
        self._files.changes[path] = after.content if after else None
        return SavedEdit(component=component, id=identity, how=Saved.OBJECT if after else Saved.NOTHING, path=path)

    def _as_patch(self, component: str, identity: ObjectId, base: Body, after: PartObject | None) -> SavedEdit:
        path = f"{patches_folder(component)}/{identity.file_name}"
        if after is None:
            self._files.changes[path] = patch_file.deletion(base).encode()
            return SavedEdit(component=component, id=identity, how=Saved.DELETION, path=path)
        if same(base, after.body):
            self._files.changes[path] = None
            return SavedEdit(component=component, id=identity, how=Saved.NOTHING, path=path)
        version = str(base["apiVersion"])
        schema = self._request.merge_keys.schema(group_of(version), version.rpartition("/")[2], identity.kind)
        patch = _patch(base, after.body, schema, self._request.form)
        if patch is None:
            return SavedEdit(component=component, id=identity, reason=_NO_OVERLAY)
        remarks = comments.of(after.content.decode(errors="replace"))
        content = patch_file.text(patch, base, remarks).encode()
        if reason := _unreadable(content, path):
            return SavedEdit(component=component, id=identity, reason=reason)
        self._files.changes[path] = content
        how = Saved.JSON_PATCH if isinstance(patch, JsonPatch) else Saved.PATCH
        return SavedEdit(component=component, id=identity, how=how, path=path)


def _manifest(component: Component, known: PartObject) -> Manifest:
    assert known.document is not None
    return Manifest(
        id=known.id, document=known.document, provenance=Provenance(component=component.name, origin=known.path)
    )


def _unreadable(content: bytes, path: str) -> str:
    """Why the description could not read a patch: what may be edited is larger than what a description may have."""
    try:
        positioned_reader.read(content, path)
    except (DescriptionError, ExceptionGroup) as error:
        return f"its patch could not be read ({expected(error)[0].message}), so it stays a hand edit"
    return ""


def _patch(base: Body, after: Body, schema: FieldSchema | None, form: Form) -> Patch | None:
    """None where the form cannot say it."""
    if form is Form.OVERLAY:
        return partial_object(base, after, schema)
    return smallest(base, after, schema)
