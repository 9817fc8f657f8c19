"""Which mount a path is on: a rename cannot leave its mount, so a draft must be on the mount of its target."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def draft_on_mount_of(target: Path, draft: Path) -> Path:
    """``draft`` if it is on the mount of ``target``, else a hidden path of the same name beside ``target``.

    Raises:
        OSError: if a file (or a pipe, which must not be opened) is in the place of a directory above ``target``.
    """
    folder = target.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return draft if _mount(folder) == _mount(draft.parent) else beside(folder, draft)


def beside(folder: Path, draft: Path) -> Path:
    """The place in ``folder`` of what cannot be at ``draft``."""
    return folder / f".cluster-forge-{draft.name}"


def _mount(folder: Path) -> str | int:
    """The identity of a mount. Two mounts may share a file system, and renames do not cross between those either."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY) if os.name == "posix" else None
    if descriptor is not None:
        try:
            with contextlib.suppress(OSError, StopIteration):  # Linux: proc_pid_fdinfo(5)
                lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines()
                return next(line for line in lines if line.startswith("mnt_id:"))
        finally:
            os.close(descriptor)
    return folder.stat().st_dev
