"""The workspace's own directory, `.cluster-forge/`: ignored by Git, except for the history."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import plain_files

FOLDER: Final = ".cluster-forge"
HISTORY: Final = "history.jsonl"
_GITIGNORE: Final = f"*\n!.gitignore\n!{HISTORY}\n"
_FORMER_GITIGNORES: Final = ("", "*\n")
"""Written by earlier versions, or left when one was killed while writing."""


def prepare(state: Path) -> None:
    """Create the directory with its .gitignore. A .gitignore that was edited stays as it is.

    Raises:
        WorkspaceError: if a link, a pipe or a device is in the place of one of the two.
        OSError: if it cannot be written.
    """
    plain_files.make_folder(state)
    gitignore = state / ".gitignore"
    try:
        content = plain_files.read(gitignore).decode(errors="replace")
    except FileNotFoundError:
        content = ""
    if content in _FORMER_GITIGNORES:
        descriptor = plain_files.open_own(gitignore, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_GITIGNORE.encode())
