"""Files and directories in places that others may have prepared: no link is followed, and no pipe is waited for."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Final

from cluster_forge.foundation.errors import WorkspaceError

_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_WAITING: Final = getattr(os, "O_NONBLOCK", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)
_LARGEST: Final = 1 << 30
"""Bytes of a file that is read whole: more than anything that is written."""
_FIX: Final = "remove it: cluster-forge creates what it needs there"


def open_file(path: Path, flags: int, mode: int = 0o666) -> int:
    """The descriptor of a file, opened with ``flags``.

    Raises:
        WorkspaceError: if a link, a pipe or a device is there.
        OSError: if it cannot be opened; also if it is a directory.
    """
    check_file(path)  # first: opening a pipe may wait, and opening a device may do anything
    descriptor = os.open(path, flags | _NO_LINK | _NO_WAITING | _BINARY, mode)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _in_the_way(path, "file")
    return descriptor


def open_own(path: Path, flags: int, mode: int = 0o666) -> int:
    """The descriptor of a file that is written to, opened with ``flags``.

    A file with a second name (a hard link) is replaced by a copy first: what has the other name is not ours to change.

    Raises:
        WorkspaceError, OSError: as for `open_file`.
    """
    status = _status(path)
    if status and stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
        draft = path.with_name(f".{path.name}-own")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, stat.S_IMODE(status.st_mode))
        with os.fdopen(descriptor, "wb") as file:
            if not flags & os.O_TRUNC:
                file.write(read(path, None))
        draft.replace(path)
    return open_file(path, flags, mode)


def open_private(path: Path, flags: int) -> int:
    """`open_own` for a file that only the user may read; one that exists becomes so if it is the user's.

    Raises:
        WorkspaceError, OSError: as for `open_file`.
    """
    descriptor = open_own(path, flags, 0o600)
    if hasattr(os, "fchmod"):
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, 0o600)
    return descriptor


def read(path: Path, limit_bytes: int | None = 1 << 20) -> bytes:
    """The first ``limit_bytes`` of a file; None: all of it.

    Raises:
        WorkspaceError, OSError: as for `open_file`; also if all of it is more than `_LARGEST`, as a file with holes may be.
    """
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as file:
        if limit_bytes is not None:
            return file.read(limit_bytes)
        if os.fstat(file.fileno()).st_size > _LARGEST:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        return file.read()


def is_file(path: Path) -> bool:
    """Whether a file is at a path, not a link to one."""
    status = _status(path)
    return status is not None and stat.S_ISREG(status.st_mode)


def check_file(path: Path) -> None:
    """Check that a file is at a path, or nothing.

    Raises:
        WorkspaceError: if a link, a pipe or a device is there.
        OSError: if a directory is there.
    """
    status = _status(path)
    if status and not stat.S_ISREG(status.st_mode):
        raise _in_the_way(path, "file")


def check_no_link(path: Path) -> None:
    """Check that a path is not a link.

    Raises:
        WorkspaceError: if it is one.
    """
    if path.is_symlink():
        raise _in_the_way(path, "file")


def make_folder(path: Path, mode: int = 0o777) -> None:
    """Create a directory, its parents included, unless it exists; ``mode`` is reduced by the user's umask.

    Raises:
        WorkspaceError: if a link, a pipe or a device is there.
        OSError: if a file is there, or it cannot be created.
    """
    check_folder(path)
    path.mkdir(mode=mode, parents=True, exist_ok=True)


def make_private_folder(path: Path) -> None:
    """Create a directory that only the user may read, unless it exists; one that exists becomes so if it is the user's.

    Raises:
        WorkspaceError, OSError: as for `make_folder`.
    """
    make_folder(path, 0o700)
    if not hasattr(os, "fchmod"):  # Windows, which has no modes
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAITING)
        try:
            os.fchmod(descriptor, 0o700)
        finally:
            os.close(descriptor)


def check_folder(path: Path) -> None:
    """Check that a directory is at a path, or nothing.

    Raises:
        WorkspaceError: if a link, a pipe or a device is there.
        OSError: if a file is there.
    """
    status = _status(path)
    if status and not stat.S_ISDIR(status.st_mode):
        raise _in_the_way(path, "directory")


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _in_the_way(path: Path, wanted: str) -> WorkspaceError | OSError:
    """The error for what is in the place of a file or directory: a link or a pipe there is not a mistake."""
    status = _status(path)
    kind = stat.S_IFMT(status.st_mode) if status else 0
    if kind in (stat.S_IFDIR, stat.S_IFREG):
        number = errno.EISDIR if wanted == "file" else errno.EEXIST
        return OSError(number, os.strerror(number), str(path))
    if kind == stat.S_IFLNK:
        what = f"a link where a {wanted} is needed: links are not followed here"
    else:
        what = f"neither a file nor a directory (a pipe, a socket or a device), where a {wanted} is needed"
    return WorkspaceError(what, where=str(path), fix=_FIX)
