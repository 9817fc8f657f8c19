"""One file replaced in one step: readers see its old content or its new content, whole.

The content is written to a draft, flushed, and renamed. A killed process leaves its draft; where several
processes share a directory of drafts, they lock them, so that an abandoned draft can be recognized.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import BinaryIO

from cluster_forge.adapters.disk import flushing, plain_files
from cluster_forge.foundation.errors import WorkspaceError

if sys.platform != "win32":
    import fcntl


def write(  # noqa: PLR0913 - independent settings by name
    target: Path, content: bytes, *, draft: Path, is_durable: bool = True, is_locked: bool = False, mode: int = 0o666
) -> None:
    """Write ``content`` to ``draft``, a new path on the mount of ``target``, and rename it to ``target``.

    ``is_durable`` flushes file and rename, so that they survive a crash of the machine. ``is_locked`` keeps the draft from
    `remove_abandoned`. ``mode`` is reduced by the user's umask.

    Raises:
        OSError: if it cannot be written; the target is unchanged then.
    """
    try:
        with create(str(draft), mode) as file:
            if is_locked:
                _lock(file.fileno())
            file.write(content)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    if is_durable:
        flushing.sync(str(target.parent))


def create(path: str, mode: int = 0o666) -> BinaryIO:
    """Create and open a file that does not exist yet; ``mode`` is reduced by the user's umask."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")


def remove_abandoned(drafts: Path) -> None:
    """Remove the drafts of killed processes: those that no process holds locked.

    Raises:
        OSError: if the directory cannot be read.
    """
    for draft in drafts.iterdir():
        with contextlib.suppress(OSError, WorkspaceError):
            with os.fdopen(plain_files.open_file(draft, os.O_RDWR), "r+b") as file:
                is_abandoned = _lock(file.fileno())
            if is_abandoned:
                draft.unlink()


def _lock(descriptor: int) -> bool:
    """Lock an open file until it is closed or its process ends. False: another process holds it."""
    if sys.platform == "win32":  # which does not let others remove an open file
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # also if the file system has no locks: then no draft is known to be abandoned
        return False
    return True
