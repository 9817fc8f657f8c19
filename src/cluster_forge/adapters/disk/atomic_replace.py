"""Directories replaced, all or none of them, so that a failed or killed run leaves whole trees.

1. The new trees are written into a staging directory and flushed. It is on the mount of the directories that they replace
   (a rename cannot leave a mount): the given one, or else one beside them, which ``elsewhere.json`` notes.
2. A journal, ``moves.json``, says where they belong.
3. Each changes places with the old tree in one step (`exchange`), so that each directory is old or new at every moment.
4. The journal, the staging directories and the old trees in them are removed.

A run that dies before 3 has changed nothing; the next one removes what it left (`recover`). If it dies during 3, some
directories are new; the next run completes the others. Where the system cannot exchange directories, one is missing for a
moment; where it cannot even rename one (in a layer of a container image, on overlayfs), that is copied and removed. The
next run completes these, too.

A directory is identified by its inode, and the journal notes that of each new tree. So a workspace may be moved together
with what a dead run left; in a copy of it no inode matches, and every directory stays as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import atomic_write, flushing, mounts, tree_writing
from cluster_forge.adapters.disk.folder_move import FolderMove, inode_of
from cluster_forge.foundation.file_tree import FileTree

_JOURNAL: Final = "moves.json"
_ELSEWHERE: Final = "elsewhere.json"
_FILE_BESIDE: Final = ".cluster-forge-aside"
"""A draft beside its target; hidden, so that it is not taken for input."""


def replace(trees: Mapping[Path, FileTree], *, staging: Path, root: Path) -> None:
    """Make each directory hold exactly its tree; an empty tree removes it.

    ``staging`` does not exist yet, its parent does. ``root`` is what may be moved as a whole between a crash and `recover`.

    Raises:
        OSError: if something cannot be written or renamed; everything is as before then.
    """
    places = {target: mounts.draft_on_mount_of(target, staging) for target in trees}
    elsewhere = sorted(set(places.values()) - {staging})
    moves: list[FolderMove] = []
    try:
        staging.mkdir()
        if elsewhere:
            content = json.dumps(list(map(str, elsewhere))).encode()
            atomic_write.write(staging / _ELSEWHERE, content, draft=staging / f".{_ELSEWHERE}")
        for place in elsewhere:
            place.mkdir()
        for number, (target, tree) in enumerate(trees.items()):
            moves.append(_staged(places[target] / str(number), target, tree))
        draft = staging / f".{_JOURNAL}"
        draft.write_bytes(json.dumps([asdict(move.relative(staging, root)) for move in moves]).encode())
        _flush([staging, *elsewhere])
        draft.rename(staging / _JOURNAL)
        for move in moves:
            move.do()
        _flush([staging, *elsewhere])
    except BaseException:  # Ctrl-C, too, must restore the old trees
        if (staging / _JOURNAL).exists():
            for move in reversed(moves):
                move.undo()  # if this fails, the journal stays, and the next run completes
        _clear(staging, elsewhere)
        raise
    _clear(staging, elsewhere)


def recover(staging: Path) -> None:
    """Complete or remove what a dead run left at ``staging``: a directory of `replace`, or a file of `write_file`.

    Raises:
        OSError: if that fails.
    """
    if not staging.is_dir():
        staging.unlink(missing_ok=True)
        return
    journal, elsewhere = staging / _JOURNAL, staging / _ELSEWHERE
    if journal.exists():
        moves = [FolderMove(**move).absolute(staging) for move in json.loads(journal.read_bytes())]
        if any(move.is_started for move in moves):
            for move in moves:
                move.complete()
    _clear(staging, list(map(Path, json.loads(elsewhere.read_bytes()))) if elsewhere.exists() else [])


def write_file(target: Path, content: bytes, *, staging: Path) -> None:
    """Replace one file, by way of ``staging`` or of a draft beside it on another mount: one at a time there.

    Raises:
        OSError: if that fails; the old file is whole then.
    """
    draft = mounts.draft_on_mount_of(target, staging)
    if draft != staging:
        draft = target.with_name(_FILE_BESIDE)
        draft.unlink(missing_ok=True)  # of a killed run
    atomic_write.write(target, content, draft=draft)


def _staged(place: Path, target: Path, tree: FileTree) -> FolderMove:
    """Write a tree into a staging directory; the move that brings it into its place."""
    place.mkdir()
    new, old = f"{place}/new", f"{place}/old"
    if tree.files:
        tree_writing.write(new, tree, str(target))
    return FolderMove(target=str(target), new=new, old=old, inode=inode_of(new))


def _flush(folders: list[Path]) -> None:
    for folder in {folder.stat().st_dev: folder for folder in folders}.values():
        flushing.sync_tree(str(folder))


def _clear(staging: Path, elsewhere: list[Path]) -> None:
    """Remove the journal first, then what it lists. What cannot be removed is left to the next run."""
    with contextlib.suppress(OSError):
        (staging / _JOURNAL).unlink(missing_ok=True)
        for folder in elsewhere:
            shutil.rmtree(folder, ignore_errors=True)
        if not any(map(os.path.lexists, elsewhere)):
            shutil.rmtree(staging, ignore_errors=True)
