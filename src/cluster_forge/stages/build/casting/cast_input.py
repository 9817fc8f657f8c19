"""What cast takes from `working/`: its files with their hand edits, unless the folder is out of date."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StaleError
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.manifest import Body
from cluster_forge.record import RECORD
from cluster_forge.stack import variant
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build import working_tree
from cluster_forge.stages.build.way_out import (
    CHANGED,
    CommandLine,
    is_current,
    other_stack_fix,
    plain_command,
    stale_fix,
)
from cluster_forge.stages.build.working_tree import FOLDER, Working, WorkingTree
from cluster_forge.stages.toolbox import Toolbox

Kind = TypeVar("Kind", bound=Working)


def check(
    working: Kind | None, stack: Stack, inputs: Digest, *, allow_stale: bool, command: CommandLine = plain_command
) -> tuple[Kind, tuple[Finding, ...]]:
    """`working/`, if it can be cast, and the warnings about it.

    ``inputs`` is the fingerprint of the present inputs; ``allow_stale`` takes a folder of other inputs, with a warning.

    Raises:
        StaleError: if smelt did not write the folder, or wrote it from other inputs. One that was written for another
            environment or another selection is never taken.
    """
    if working is None or not working.is_smelted:
        raise StaleError("smelt has not written working/ yet", fix="run `cluster-forge smelt` (or `forge`)")
    check_variant(stack, working, command)
    warnings = []
    if not is_current(working.record, variant.folder(stack), inputs):
        if not allow_stale:
            raise StaleError(
                f"out of date: {CHANGED}",
                where=f"{FOLDER}/",
                fix=stale_fix(command),
            )
        warnings.append(_warning("stale", f"out of date, cast as it is: {CHANGED}"))
    return working, (*warnings, *edited(working))


def edited(working: Working) -> tuple[Finding, ...]:
    """The warning that hand edits are cast; none without them."""
    message = f"{working_tree.edited_by_hand(working)}; cast as edited"
    return (_warning("hand-edited", message),) if working.edited else ()


def check_variant(stack: Stack, working: Working, command: CommandLine) -> None:
    """Check that `working/` is of this stack, environment and selection: none gets the content of another one.

    Raises:
        StaleError: if it is not.
    """
    there, wanted = working.record.holds, variant.folder(stack)
    if working.is_smelted and there != wanted:
        raise StaleError(
            f"holds the stack {there!r}, not {wanted!r}",
            where=f"{FOLDER}/",
            fix=other_stack_fix(command, working.record, wanted, has_edits=bool(working.edited)),
        )


def complete(working: WorkingTree, stack: Stack, toolbox: Toolbox) -> WorkingTree:
    """The folder with its hand edits in the record, and a document for every object.

    Raises:
        StaleError: if the record has an object without a file.
        ManifestError, ExceptionGroup: for edited files that do not hold one object.
    """
    return _with_edits(working, stack, toolbox) if working.edited else _with_documents(working, toolbox)


def _with_edits(edited: WorkingTree, stack: Stack, toolbox: Toolbox) -> WorkingTree:
    """The folder with its hand edits in the record, and with the engine's objects pinned to its present content.

    Objects of the engine that were edited themselves stay as they are.
    """
    from cluster_forge.gitops import sync_files  # noqa: PLC0415 - these take 0.05 s
    from cluster_forge.stages.build import layout  # noqa: PLC0415
    from cluster_forge.stages.build.hand_edits import edited_objects, placing  # noqa: PLC0415

    def read(path: str) -> Body | None:
        content = edited.tree.files.get(path)
        return toolbox.reader.read(content.decode()) if content else None

    place = placing.of(lambda: stack, edited.record, read)

    working = _with_documents(edited_objects.with_edits(edited, toolbox.renderer, place), toolbox)
    folders = tuple(f"{folder}/" for folder in sync_files.FOLDERS.values())
    if any(edit.path.startswith(folders) for edit in working.edited):
        return working
    manifests = {path: content for path, content in working.tree.files.items() if not path.startswith(folders)}
    tree, revision = layout.with_sync_files(stack, working.record.parts, manifests)
    return replace(working, tree=tree, record=replace(working.record, revision=revision))


def _with_documents(working: WorkingTree, toolbox: Toolbox) -> WorkingTree:
    """The folder with a document for every object of the record; files are parsed when their tree is first needed.

    Raises:
        StaleError: if the record has an object without a file.
    """
    files = working.tree.files
    for part in working.record.parts:
        if lost := next((known.path for known in part.objects if known.path not in files), None):
            raise StaleError(
                f"{lost!r} of {part.name} is not one of its files",
                where=RECORD,
                fix="write working/ again: cluster-forge smelt --discard-edits",
            )
    parts = tuple(part.with_documents(files, toolbox.reader.read) for part in working.record.parts)
    return replace(working, record=replace(working.record, parts=parts))


def _warning(code: str, message: str) -> Finding:
    return Finding(code=code, severity=Severity.WARNING, where=f"{FOLDER}/", message=message)
