"""What the operating system complains about, as an error for the user."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Final

from cluster_forge.foundation.errors import WorkspaceError

_FIXES: Final = {
    errno.ENOSPC: "free some space on the disk and run the command again",
    errno.EDQUOT: "free some of your quota and run the command again",
    errno.EROFS: "the file system is read-only: work in a copy of the workspace (-C DIR)",
    errno.EACCES: "give yourself the permission, or work in a copy of the workspace (-C DIR)",
    errno.EPERM: "give yourself the permission, or work in a copy of the workspace (-C DIR)",
    errno.EXDEV: "keep what is made on one file system with the folder that it is made in",
    errno.EBUSY: "something is mounted there: mount it one folder higher, or put a link in its place",
    errno.EEXIST: "a file stands where a folder has to be, or the file system takes two of the names for one",
    errno.ENOTDIR: "a file stands where a folder has to be: move it away",
    errno.EISDIR: "a folder stands where a file has to be: move it away",
    errno.ENOENT: "it is not there, or not any more: see whether the workspace is still in its place",
    errno.ENAMETOOLONG: "the file system takes no such long names: shorten them, or work in a folder with a shorter path",
}


@contextlib.contextmanager
def telling(problem: str, path: str) -> Iterator[None]:
    """Tell what goes wrong inside as "``path`` ``problem``: …".

    Raises:
        WorkspaceError: for an `OSError`, and for a name that is no text.
    """
    try:
        yield
    except OSError as error:
        where = error.filename2 or error.filename  # of a rename, the place that it did not get to
        raise WorkspaceError(
            f"{path} {problem}: {error.strerror}",
            where=str(where) if where else None,
            fix=_FIXES.get(error.errno or 0, "see whether the disk and the folder are in order"),
        ) from error
    except ValueError as error:
        raise WorkspaceError(
            f"{path!a} {problem}: a name is no text",
            fix="rename the file: UTF-8, without a NUL",
        ) from error
