"""The workspace's own directory, `.cluster-forge/`: ignored by Git, except for the history."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = ".cluster-forge"
HISTORY: Final = "history.jsonl"
_GITIGNORE: Final = f"*\n!.gitignore\n!{HISTORY}\n"
_FORMER_GITIGNORES: Final = ("", "*\n")
"""Written by earlier versions, or left when one was killed while writing."""


def prepare(state: Path) -> None:
    """Create the directory with its .gitignore. A .gitignore that was edited stays as it is.

    Raises:
        OSError: if it cannot be written.
    """
    state.mkdir(parents=True, exist_ok=True)
    gitignore = state / ".gitignore"
    if not gitignore.exists() or gitignore.read_text(encoding="utf-8", errors="replace") in _FORMER_GITIGNORES:
        gitignore.write_text(_GITIGNORE, encoding="utf-8")
