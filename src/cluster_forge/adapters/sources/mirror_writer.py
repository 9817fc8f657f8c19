"""A mirror in a directory that `mirror create` writes: files named by what they are and by their digest, then the index.

Every file is written whole or not at all, and the index last: a reader never finds an entry without its file.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import atomic_write, plain_files
from cluster_forge.adapters.disk.os_errors import Area, translated
from cluster_forge.adapters.sources import mirror_entries, mirror_index
from cluster_forge.adapters.sources.mirror_folder import MirrorFolder
from cluster_forge.adapters.sources.mirror_index import MirrorFile
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.ports.mirrors import MirrorCheck
from cluster_forge.stack.lock import LockedSource

_AREA: Final = Area(error=WorkspaceError, alternative="name another directory")


class FolderWriter:
    """`ports.MirrorWriter` for a directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._place = MirrorFolder(folder)
        self._drafts = folder / ".unfinished"

    def write(
        self, sources: Sequence[LockedSource], content: Callable[[LockedSource], bytes]
    ) -> Sequence[LockedSource]:
        with translated("cannot be written", "the mirror", area=_AREA):
            self._prepare()
            before = self._place.entries()
            listed = {entry.file.name for entry in before}
            entries = {source: mirror_entries.of(source) for source in sources}
            added = [source for source, entry in entries.items() if not self._is_there(entry.file, listed)]
            for source in added:
                self._replace(self._folder / entries[source].file.name, content(source))
            self._write_index(mirror_entries.index(mirror_entries.merged((*before, *entries.values()))))
            with contextlib.suppress(OSError):  # another process has a draft there
                self._drafts.rmdir()
        return added

    def check(self, wanted: Sequence[LockedSource]) -> MirrorCheck:
        return mirror_entries.check(self._place, wanted)

    def _prepare(self) -> None:
        """Make the directory a mirror of ours, if it is empty or does not exist.

        Raises:
            WorkspaceError: if it has files that `mirror create` did not write.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        plain_files.make_folder(self._drafts)
        atomic_write.remove_abandoned(self._drafts)
        index = self._place.index
        if not os.path.lexists(index):
            others = sorted({path.name for path in self._folder.iterdir()} - {self._drafts.name})
            if others:
                self._drafts.rmdir()
                raise _foreign(self._folder, f"the directory has no {mirror_index.FILE}, but {others[0]}")
            self._write_index(mirror_entries.index(()))
        elif not plain_files.read(index).startswith(mirror_entries.HEADER.encode()):
            raise _foreign(index, "this mirror was not written by `mirror create`, which would replace its index")

    def _is_there(self, file: MirrorFile, listed: set[str]) -> bool:
        """Whether the mirror has a file; its directory exists then.

        Raises:
            WorkspaceError: if something that the index does not list is in its place.
        """
        path = self._folder / file.name
        plain_files.make_folder(path.parent)
        if not os.path.lexists(path):
            return False
        plain_files.check_file(path)
        if mirror_entries.damage(self._place, file) is None:
            return True
        if file.name not in listed:
            raise _foreign(path, "a file that is not in the mirror's index is in the way")
        return False

    def _write_index(self, text: bytes) -> None:
        index = self._place.index
        if not plain_files.is_file(index) or plain_files.read(index, None) != text:
            self._replace(index, text)

    def _replace(self, path: Path, content: bytes) -> None:
        draft = self._drafts / f"{os.getpid()}-{secrets.token_hex(8)}"
        atomic_write.write(path, content, draft=draft, is_locked=True)


def _foreign(path: Path, message: str) -> WorkspaceError:
    return WorkspaceError(
        message, where=str(path), fix="name an empty directory, or one that `mirror create` wrote: nothing was changed"
    )
