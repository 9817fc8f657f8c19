"""Entries of the store and the cache, written by any number of processes at once."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import atomic_write, plain_files
from cluster_forge.foundation.errors import WorkspaceError

_ATTEMPTS: Final = 3


class EntryWriter:
    """Writes entries as drafts in ``unfinished/``, which is never read, and renames them: an entry is whole or missing.

    The first write removes the drafts that killed processes left.
    """

    def __init__(self, root: Path) -> None:
        self._drafts = root / "unfinished"
        self._is_cleared = False

    def write(self, path: Path, content: bytes, *, is_durable: bool, mode: int = 0o666) -> None:
        """Write an entry; ``is_durable`` if it must survive a crash of the machine, ``mode`` before the user's umask.

        Raises:
            OSError: if it cannot be written; also if a link, a pipe or a device is in the place of a directory.
        """
        for folder in (self._drafts, *reversed(path.parents[: len(path.parents) - len(self._drafts.parents)])):
            try:
                plain_files.make_folder(folder)
            except WorkspaceError as error:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error
        if not self._is_cleared:
            self._is_cleared = True
            atomic_write.remove_abandoned(self._drafts)
        for _ in range(_ATTEMPTS):
            draft = self._drafts / f"{os.getpid()}-{secrets.token_hex(8)}"
            try:
                atomic_write.write(path, content, draft=draft, is_durable=is_durable, is_locked=True, mode=mode)
            except FileNotFoundError:  # another process removed the draft before it was locked
                continue
            return
        raise FileNotFoundError(errno.ENOENT, "another process removes the drafts", str(self._drafts))
