"""What is said about hand edits that were merged: conflicts, and edits that smelt makes itself now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.stages.build.hand_edits.file_merge import Conflict, FileMerge
from cluster_forge.stages.build.way_out import CommandLine
from cluster_forge.stages.build.working_tree import FOLDER

ObjectOf = Callable[[str], ObjectId | None]
"""The object in a file; None where that is not known."""


def of(
    files: Mapping[str, FileMerge],
    components: Mapping[str, ComponentName],
    object_of: ObjectOf,
    verb: CommandLine,
    saved: Collection[str],
) -> Iterator[Finding]:
    """The findings about the files, by their paths; ``components`` are those of the folders of `working/`.

    Edits in ``saved`` files are made by what was saved: there is nothing to say.
    """
    for path, file in files.items():
        component = components.get(path.partition("/")[0])
        for conflict in file.conflicts:
            yield Finding(
                code="edit-conflict",
                severity=Severity.ERROR,
                component=component,
                object=object_of(path),
                where=f"{FOLDER}/{path}",
                message=_conflict(conflict),
                fix=_fix(conflict, verb),
            )
        if (file.is_obsolete or file.taken) and path not in saved:
            yield Finding(
                code="edit-obsolete",
                severity=Severity.NOTICE,
                component=component,
                object=object_of(path),
                where=f"{FOLDER}/{path}",
                message=_obsolete(file),
            )


def _fix(conflict: Conflict, verb: CommandLine) -> str:
    if conflict.is_final:
        return f"give the edit up, a copy of which is kept: `{verb('--merge theirs')}`"
    return f"keep the edit: `{verb('--merge ours')}`; take the change: `{verb('--merge theirs')}`; or change the file"


def _conflict(conflict: Conflict) -> str:
    if conflict.reason:
        return f"hand edit in conflict: {conflict.reason}"
    return (
        f"hand edit in conflict at {conflict.field}: smelt made {conflict.base}, makes {conflict.theirs} now, "
        f"and the edit has {conflict.mine}"
    )


def _obsolete(file: FileMerge) -> str:
    if file.is_obsolete:
        return "hand edit dropped: smelt makes the same now"
    fields = ", ".join(file.taken)
    return f"part of the hand edit is no longer one: smelt makes the same now at {fields}"
