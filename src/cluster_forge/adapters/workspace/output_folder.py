"""`OutputFolder`: a folder outside of any workspace that a command writes as a whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cluster_forge.adapters.disk import atomic_replace, plain_files, reading, user_secret, walking
from cluster_forge.adapters.disk.os_errors import OUTPUT, translated
from cluster_forge.foundation.file_tree import FileTree


class OutputFolder:
    """`ports.workspace.FolderWriter` for the folders in one directory. No link is followed.

    What a killed run left in the directory is completed or removed by the next one.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))

    def read(self, path: str) -> bytes | None:
        with (
            translated("cannot be read", path, area=OUTPUT),
            contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError),
        ):
            return plain_files.read(self._root / path, reading.LARGEST)
        return None

    def names(self, folder: str) -> Sequence[str]:
        real = self._root / folder
        with translated("cannot be listed", str(real), area=OUTPUT):
            plain_files.check_folder(real)
            return sorted(walking.names(real)) if real.is_dir() else []

    def replace_trees(self, trees: Mapping[str, FileTree]) -> None:
        """Make each folder hold exactly its tree, all of them or none."""
        targets = {self._root / folder: tree for folder, tree in trees.items()}
        with translated("cannot be written", str(self._root), area=OUTPUT):
            self._root.mkdir(parents=True, exist_ok=True)
            secret = user_secret.load()
            for left in self._root.glob(f"{atomic_replace.STAGING}*"):
                atomic_replace.recover(left, root=self._root, secret=secret)
            for target in targets:
                plain_files.check_folder(target)
            staging = self._root / atomic_replace.staging_name(secret)
            atomic_replace.replace(targets, staging=staging, root=self._root, secret=secret)
