"""Which mount a path is on: a rename cannot leave its mount, and what time stamps mean depends on its file system."""

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


def file_system(path: Path) -> str | None:
    """The type of the file system that a path is on, like ``ext4``; None if the system does not tell, as only Linux does."""
    with contextlib.suppress(OSError, StopIteration):
        number = b"%d" % (_number(path) or 0)
        lines = Path("/proc/self/mountinfo").read_bytes().split(b"\n")  # proc_pid_mountinfo(5)
        mount = next(fields for fields in (line.split(b" ") for line in lines) if fields[0] == number)
        return mount[mount.index(b"-") + 1].decode(errors="replace")
    return None


def _mount(folder: Path) -> int:
    """The identity of a mount. Two mounts may share a file system, and renames do not cross between those either."""
    number = _number(folder)
    return folder.stat().st_dev if number is None else number


def _number(path: Path) -> int | None:
    """The number of the mount that a path is on; None if the system does not tell."""
    if not hasattr(os, "O_PATH"):
        return None
    descriptor = os.open(path, os.O_PATH)
    try:
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines()  # proc_pid_fdinfo(5)
            return next(int(line.split()[1]) for line in lines if line.startswith("mnt_id:"))
    finally:
        os.close(descriptor)
    return None
