"""Files that are named on the command line: in the workspace or anywhere else, pipes included."""

from __future__ import annotations

from pathlib import Path

from cluster_forge.foundation.errors import DescriptionError


def content(name: str, what: str, *, most: int, path: str, smaller: str) -> bytes:
    """What is in a file of at most ``most`` bytes. ``what`` is the file in messages, ``path`` its path in the fix.

    Raises:
        DescriptionError: if it cannot be read, or is larger; ``smaller`` is how to mend that.
    """
    try:
        with Path(name).open("rb") as file:  # a pipe, too: <(kubectl get … -o json)
            read = file.read(most + 1)
    except OSError as error:
        raise DescriptionError(
            f"{what} cannot be read: {error.strerror}",
            where=name,
            fix=f"correct {path}; it is relative to the current directory",
        ) from error
    if len(read) > most:
        raise DescriptionError(f"{what} is larger than {most >> 20} MiB", where=name, fix=smaller)
    return read
