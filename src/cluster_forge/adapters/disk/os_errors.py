"""Operating system errors as errors for the user: what failed, where, and how to fix it."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cluster_forge.foundation.errors import ForgeError, StoreError, WorkspaceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A part of the disk: the error that its problems are, and the way out if they cannot be solved in place."""

    error: type[ForgeError]
    alternative: str


WORKSPACE: Final = Area(error=WorkspaceError, alternative="work in a copy of the workspace: -C DIR")
OUTPUT: Final = Area(error=WorkspaceError, alternative="write into another folder: -o DIR")
STORE: Final = Area(error=StoreError, alternative="use another store: --store DIR")

_FIXES: Final = {
    errno.ENOSPC: "free some space on the disk, or {alternative}",
    errno.EDQUOT: "free some of your disk quota, or {alternative}",
    errno.EROFS: "the file system is read-only: {alternative}",
    errno.EACCES: "change the permissions, or {alternative}",
    errno.EPERM: "change the permissions, or {alternative}",
    errno.EXDEV: "keep the directory on the same file system as its parent",
    errno.EBUSY: "a file system is mounted here: mount it one directory higher, or replace the mount by a link",
    errno.EEXIST: "a file is where a directory is needed, or the file system treats two of the names as one",
    errno.ENOTDIR: "a file is where a directory is needed: move it away",
    errno.EISDIR: "a directory is where a file is needed: move it away",
    errno.ENOENT: "it was moved or removed: check that the path is still right",
    errno.ENAMETOOLONG: "the file system does not allow names this long: shorten them, or use a shorter path",
}
_OTHER_FIX: Final = "check the disk and the permissions, or {alternative}"


@contextlib.contextmanager
def translated(problem: str, subject: str, *, area: Area = WORKSPACE, where: str | None = None) -> Iterator[None]:
    """Turn an `OSError` inside into "``subject`` ``problem``: …", located at ``where`` or at the path in the error.

    Raises:
        WorkspaceError, StoreError: as ``area`` says; also for a name that is not text.
    """
    try:
        yield
    except OSError as error:
        path = where or error.filename2 or error.filename  # of a rename, the target
        fix = _FIXES.get(error.errno or 0, _OTHER_FIX).format(alternative=area.alternative)
        raise area.error(
            f"{subject} {problem}: {error.strerror}", where=str(path) if path else None, fix=fix
        ) from error
    except ValueError as error:
        raise area.error(
            f"{subject!a} {problem}: the name is not text", fix="rename the file: UTF-8, without a NUL character"
        ) from error
