"""`FolderOfEdits`: copies of hand edits in `.cluster-forge/discarded/`."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import flushing, plain_files
from cluster_forge.adapters.disk.os_errors import translated
from cluster_forge.adapters.workspace import state_folder
from cluster_forge.foundation.file_tree import FileTree

KEPT: Final = 20
FOLDER: Final = f"{state_folder.FOLDER}/discarded"
_NAME: Final = re.compile(r"\d{8}T\d{6}\.\d{3}Z(-\d+)?")


class FolderOfEdits:
    """`ports.KeptEdits`: the latest `KEPT` copies, each a folder of its own, for the user alone (mode 0700, files 0600)."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace

    def keep(self, files: FileTree, listing: str) -> str:
        with translated("cannot be kept", "hand edits", where=str(self._workspace / FOLDER)):
            state_folder.prepare(self._workspace / state_folder.FOLDER)
            folder = self._workspace / FOLDER
            plain_files.make_private_folder(folder)
            copy = _new_folder(folder)
            _write(copy / "edits.txt", listing.encode(errors="backslashreplace"))
            for path, content in files.files.items():
                target = copy / "files" / path
                for parent in reversed(list(target.relative_to(copy).parents)):
                    (copy / parent).mkdir(mode=0o700, exist_ok=True)
                _write(target, content)
            flushing.sync_tree(str(copy))
            _prune(folder, copy.name)
        return f"{FOLDER}/{copy.name}"


def _new_folder(folder: Path) -> Path:
    """A new folder that is called after the time, with a number if another process has made one in this moment."""
    now = datetime.now(UTC)
    stamp = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z"
    for name in itertools.chain([stamp], (f"{stamp}-{number}" for number in itertools.count(2))):
        try:
            (folder / name).mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder / name
    raise AssertionError("itertools.count has no end")


def _write(path: Path, content: bytes) -> None:
    """Write a new file in a folder that this process has made."""
    with os.fdopen(plain_files.open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(content)


def _prune(folder: Path, own: str) -> None:
    """Remove all but the latest copies, those from the future first; what has another name is not ours."""
    others = [
        entry.name
        for entry in os.scandir(folder)
        if entry.is_dir(follow_symlinks=False) and _NAME.fullmatch(entry.name) and entry.name != own
    ]
    for name in sorted(others, key=lambda name: (name <= own, name))[: -(KEPT - 1)]:
        shutil.rmtree(folder / name, ignore_errors=True)
