"""The workspace's own folder, `.cluster-forge/`: not for Git, except for the history."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = ".cluster-forge"
HISTORY: Final = "history.jsonl"
_IGNORED: Final = f"*\n!.gitignore\n!{HISTORY}\n"
_FORMER: Final = ("", "*\n")
"""What earlier versions wrote, or left when they were killed while they wrote it."""


def prepare(state: Path) -> None:
    """Make the folder, and tell Git what in it is worth keeping. A .gitignore that somebody changed stays as it is.

    Raises:
        OSError: if that cannot be written.
    """
    state.mkdir(parents=True, exist_ok=True)
    ignored = state / ".gitignore"
    if not ignored.exists() or ignored.read_text(encoding="utf-8", errors="replace") in _FORMER:
        ignored.write_text(_IGNORED, encoding="utf-8")
