"""Hand edits: the files that differ from what a stage wrote; a copy of what it overwrites, and the finding that lists it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import counted
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.ports.kept_edits import KeptEdits

_MAX_SHOWN: Final = 20


class EditKind(StrEnum):
    EDITED = "edited"
    ADDED = "added"
    DELETED = "deleted"


_SIGNS: Final = {EditKind.EDITED: "", EditKind.ADDED: "+ ", EditKind.DELETED: "- "}


class FileEdit(NamedTuple):
    """A file of `working/` that differs from what smelt wrote; ``path`` is relative to that folder."""

    kind: EditKind
    path: str

    def __str__(self) -> str:
        """``web/a.yaml``, ``+ web/added.yaml``, ``- web/deleted.yaml``."""
        return f"{_SIGNS[self.kind]}{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A file that differs from what a stage wrote; ``path`` is relative to the workspace.

    ``content`` is None for a deleted file, and for a broken link.
    """

    path: str
    kind: EditKind
    content: bytes | None

    def __str__(self) -> str:
        is_copied = self.content is not None or self.kind is EditKind.DELETED
        return f"{self.kind} {self.path}{'' if is_copied else ' (a broken link, not copied)'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardedEdits:
    """The edits that were overwritten, and the folder with their copy."""

    edits: tuple[Edit, ...] = ()
    copy: str = ""

    def __bool__(self) -> bool:
        return bool(self.edits)

    def finding(self, where: str, fix: str) -> Finding:
        """The warning that lists them."""
        shown = [f"\n{edit}" for edit in self.edits[:_MAX_SHOWN]]
        if len(self.edits) > _MAX_SHOWN:
            shown.append(f"\n… and {len(self.edits) - _MAX_SHOWN} more, listed in {self.copy}/edits.txt")
        return Finding(
            code="hand-edited",
            severity=Severity.WARNING,
            where=where,
            message=f"{counted(len(self.edits), 'hand edit')} discarded; a copy is in {self.copy}:{''.join(shown)}",
            fix=fix,
        )

    @property
    def restoring(self) -> str:
        """What to type in the workspace to bring them back into a folder that may be edited."""
        if not any(edit.content is not None for edit in self.edits):
            return "delete these files again, then run `cluster-forge cast`"
        return f"to bring them back, in the workspace: `cp -R {self.copy}/files/. .`, then `cluster-forge cast`"


def keep(edits: Iterable[Edit], keeper: KeptEdits) -> DiscardedEdits:
    """Copy the edits, before they are overwritten.

    Raises:
        WorkspaceError: if they cannot be copied.
    """
    listed: Sequence[Edit] = sorted(edits, key=lambda edit: edit.path)
    if not listed:
        return DiscardedEdits()
    files = FileTree({edit.path: edit.content for edit in listed if edit.content is not None})
    return DiscardedEdits(edits=tuple(listed), copy=keeper.keep(files, "".join(f"{edit}\n" for edit in listed)))
