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
    errno.EXDEV: "keep the whole workspace on one file system; a link to the workspace itself is fine",
    errno.EEXIST: "the file system takes two of the names for one: use one that tells upper from lower case",
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
        raise WorkspaceError(
            f"{path} {problem}: {error.strerror}",
            where=str(error.filename) if error.filename else None,
            fix=_FIXES.get(error.errno or 0, "see whether the disk and the folder are in order"),
        ) from error
    except ValueError as error:
        raise WorkspaceError(
            f"{path!a} {problem}: a name is no text",
            fix="rename the file: UTF-8, without a NUL",
        ) from error
