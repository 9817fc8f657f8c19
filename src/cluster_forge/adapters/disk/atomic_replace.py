"""Directories replaced, all or none of them, so that a failed or killed run leaves whole trees.

1. The new trees are written into a staging directory and flushed. It is on the mount of the directories that they replace
   (a rename cannot leave a mount): the given one, or else one of a name that follows from it, beside them; then
   ``targets.json`` says what is replaced.
2. A journal, ``moves.json``, says where they belong.
3. Each changes places with the old tree in one step (`exchange`), so that each directory is old or new at every moment.
4. The journal, the staging directories and the old trees in them are removed.

A run that dies before 3 has changed nothing; the next one removes what it left (`recover`). If it dies during 3, some
directories are new; the next run completes the others. Where the system cannot exchange directories, one is missing for a
moment; where it cannot even rename one (in a layer of a container image, on overlayfs), that is copied and removed. The
next run completes these, too.

A directory is identified by its inode, and the journal notes that of each new tree. So a workspace may be moved together
with what a dead run left; in a copy of it no inode matches, and every directory stays as it is.

What is read again may have come with a cloned workspace, so it is believed only if this user's secret signed it: the name
of the staging directory (`staging_name`), and both files. Even then a target counts only if it is below the workspace, or
below a directory that a link of the workspace's top level names. Where new and old trees are is never read: it follows
from the staging directory and the target. What is not signed is left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cluster_forge.adapters.disk import (
    atomic_write,
    flushing,
    mounts,
    plain_files,
    tree_writing,
    user_secret,
    walking,
)
from cluster_forge.adapters.disk.folder_move import FolderMove, inode_of
from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree

STAGING: Final = "aside-"
"""The prefix of the names of staging directories."""
_JOURNAL: Final = "moves.json"
_TARGETS: Final = "targets.json"
_FILE_BESIDE: Final = ".cluster-forge-aside"
"""A draft beside its target; hidden, so that it is not taken for input."""
_LONGEST: Final = 1 << 24
"""Bytes of a journal."""


def staging_name(secret: bytes) -> str:
    """A new name for a staging directory, which `recover` recognizes."""
    number = f"{os.getpid()}-{secrets.token_hex(4)}"
    return f"{STAGING}{number}-{_signature_of(number, secret)}"


def is_ours(staging: Path, secret: bytes) -> bool:
    """Whether a staging directory has a name that `staging_name` gave to this user."""
    number, _, signature = staging.name.removeprefix(STAGING).rpartition("-")
    return signature == _signature_of(number, secret)


def replace(trees: Mapping[Path, FileTree], *, staging: Path, root: Path, secret: bytes) -> None:
    """Make each directory hold exactly its tree; an empty tree removes it.

    ``staging`` does not exist yet, its parent does. ``root`` is what may be moved as a whole between a crash and `recover`.

    Raises:
        OSError: if something cannot be written or renamed; everything is as before then.
    """
    places = {target: mounts.draft_on_mount_of(target, staging) for target in trees}
    elsewhere = sorted(set(places.values()) - {staging})
    moves: list[FolderMove] = []
    try:
        staging.mkdir(mode=0o700)
        if elsewhere:
            content = signed(_TARGETS, [_short(target, root) for target in trees], staging, secret)
            atomic_write.write(staging / _TARGETS, content, draft=staging / f".{_TARGETS}")
        for place in elsewhere:
            place.mkdir(mode=0o700)
        for number, (target, tree) in enumerate(trees.items()):
            moves.append(_staged(places[target] / str(number), target, tree))
        draft = staging / f".{_JOURNAL}"
        draft.write_bytes(journal([(Path(move.target), move.inode) for move in moves], staging, root, secret))
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


def recover(staging: Path, *, root: Path, secret: bytes) -> None:
    """Complete or remove what a dead run left at ``staging``: a directory of `replace`, or a file of `write_file`.

    What is not this user's stays as it is, and so does everything if the workspace's links lead elsewhere now.

    Raises:
        OSError: if that fails.
    """
    if not is_ours(staging, secret) or staging.is_symlink():
        return
    if not staging.is_dir():
        staging.unlink(missing_ok=True)
        return
    noted = _read(staging, _JOURNAL, secret)
    targets = [_long(entry["target"], root) for entry in noted or ()]
    targets += [_long(entry, root) for entry in _read(staging, _TARGETS, secret) or ()]
    if not all(_is_below(target, root) for target in targets):
        return
    if noted:
        moves = [
            _move(_place(staging, target, root, str(number)), target, entry["inode"])
            for number, (target, entry) in enumerate(zip(targets, noted, strict=False))
        ]
        if any(move.is_started for move in moves):
            for move in moves:
                move.complete()
    _clear(
        staging, sorted({place for target in targets for place in _places(staging, target, root) if place != staging})
    )


def journal(moves: Iterable[tuple[Path, int]], staging: Path, root: Path, secret: bytes) -> bytes:
    """The journal: the target of each new tree, in the order of their numbers, and its inode."""
    entries = [{"target": _short(target, root), "inode": inode} for target, inode in moves]
    return signed(_JOURNAL, entries, staging, secret)


def signed(name: str, value: object, staging: Path, secret: bytes) -> bytes:
    """The content of a file in ``staging``: the signature over its name, its directory's name and its value, and the value."""
    content = json.dumps(value).encode()
    return f"{user_secret.sign(secret, name, staging.name.encode(), content)}\n".encode() + content


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
    move = _move(place, target, 0)
    if tree.files:
        tree_writing.write(move.new, tree, str(target))
    return _move(place, target, inode_of(move.new))


def _move(place: Path, target: Path, inode: int) -> FolderMove:
    return FolderMove(target=str(target), new=f"{place}/new", old=f"{place}/old", inode=inode)


def _signature_of(number: str, secret: bytes) -> str:
    return user_secret.sign(secret, STAGING, number.encode(errors="surrogateescape"))[:32]


def _read(staging: Path, name: str, secret: bytes) -> Any:
    """The value of a file in ``staging``; None if it does not exist, or this user did not write it there."""
    try:
        signature, _, content = plain_files.read(staging / name, _LONGEST).partition(b"\n")
    except (FileNotFoundError, WorkspaceError):
        return None
    text = signature.decode(errors="replace")
    return json.loads(content) if user_secret.is_signed(text, secret, name, staging.name.encode(), content) else None


def _short(target: Path, root: Path) -> str:
    """A path, relative to ``root`` if it is below that, so that ``root`` may be moved."""
    return str(target.relative_to(root)) if target.is_relative_to(root) else str(target)


def _long(target: str, root: Path) -> Path:
    return Path(os.path.normpath(root / target))


def _is_below(target: Path, root: Path) -> bool:
    """Whether a target is below the workspace or below what a link of its top level names, without a link on the way."""
    folders = [str(root), *(os.path.realpath(entry.path) for entry in os.scandir(root) if entry.is_symlink())]
    path = str(target)
    return path != str(root) and os.path.realpath(path) == path and walking.is_inside(path, folders)


def _places(staging: Path, target: Path, root: Path) -> Iterator[Path]:
    """Where `replace` may have put the new tree for a target, if that still exists."""
    for place in (
        staging,
        *(mounts.beside(folder, staging) for folder in target.parents if folder not in root.parents),
    ):
        if place.is_dir() and not place.is_symlink():
            yield place


def _place(staging: Path, target: Path, root: Path, number: str) -> Path:
    places = [place / number for place in _places(staging, target, root)]
    return next((place for place in places if place.is_dir()), staging / number)


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
