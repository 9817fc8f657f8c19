"""Folders replaced, all or none of them, so that a run that fails or is killed leaves whole trees.

1. The new trees are written into a folder aside and flushed to disk. It lies on the mount of the folders that they are
   for (a rename cannot leave a mount): in the workspace's state, or else beside them, which ``elsewhere.json`` notes.
2. A journal says where they belong.
3. Each changes places with the old tree in one step (`swap.folders`), so that each folder is old or new at every moment.
4. The journal and the folders aside are removed, and the old trees with them.

A run that dies before 3 has changed nothing, and the next one clears away what it left (`recover`). Of one that dies
within 3, some folders are new: the next one completes it. Where the system cannot exchange folders, one is missing
for a moment; where it cannot even rename one (of a container image's layers, on overlayfs), that is copied and removed.
A run that dies in just that is completed too.

What a folder is stands in its inode: the journal notes that of each new tree. So a workspace may be moved with what a
dead run left in it; in a copy of it no inode fits, and every folder is left as it is.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from cluster_forge.adapters.disk import swap, writing
from cluster_forge.foundation.file_tree import FileTree

_JOURNAL: Final = "moves.json"
_ELSEWHERE: Final = "elsewhere.json"
_BESIDE: Final = ".cluster-forge-aside"
"""A file that is written beside its target; hidden, so that nobody reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """One folder's exchange: ``new`` takes the place of ``target``, which goes there, to ``old`` or to ``copy``.

    ``inode`` is that of the new tree; 0 if there is none and ``target`` is only to go. As soon as there is a ``copy``,
    ``target`` may lack files.
    """

    target: str
    new: str
    old: str
    inode: int

    @property
    def is_done(self) -> bool:
        return _inode(self.target) == self.inode

    @property
    def is_begun(self) -> bool:
        return self.is_done or os.path.lexists(self.old) or os.path.lexists(self.copy)

    @property
    def copy(self) -> str:
        return f"{self.old}-copy"

    def do(self) -> None:
        target = Path(self.target)
        if not self.inode:
            self._move_away()
        elif not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(self.new).rename(target)
        elif not swap.folders(self.new, self.target):
            self._move_away()
            Path(self.new).rename(target)

    def _move_away(self) -> None:
        try:
            Path(self.target).rename(self.old)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            draft = Path(f"{self.old}-draft")
            shutil.rmtree(draft, ignore_errors=True)  # a killed run's
            shutil.copytree(self.target, draft, symlinks=True)
            writing.flush(str(draft))
            draft.rename(self.copy)
            shutil.rmtree(self.target)

    def undo(self) -> None:
        target = Path(self.target)
        if self.inode and self.is_done and not (os.path.lexists(self.new) and swap.folders(self.new, self.target)):
            target.rename(self.new)
        if os.path.lexists(self.copy):
            shutil.rmtree(target, ignore_errors=True)
            Path(self.copy).rename(target)
        elif os.path.lexists(self.old):
            Path(self.old).rename(target)

    def complete(self) -> None:
        """Do what is still to do. What somebody made since in the place of a folder that was missing stays."""
        if self.is_done:
            return
        has_new = os.path.lexists(self.new)
        if os.path.lexists(self.copy) and (has_new or not self.inode):
            shutil.rmtree(self.target, ignore_errors=True)
        if os.path.lexists(self.target):
            is_due = not os.path.lexists(self.old) and _inode(self.new) == self.inode
        else:
            is_due = has_new
        if is_due:
            self.do()


def replace(aside: Path, trees: Mapping[Path, FileTree]) -> None:
    """Let each folder hold its tree, by way of the folder ``aside`` (new, in a folder that is there).

    Raises:
        OSError: if something cannot be written or renamed; everything is as it was then.
    """
    places = {target: _place(aside, target) for target in trees}
    elsewhere = sorted(set(places.values()) - {aside})
    moves: list[_Move] = []
    try:
        aside.mkdir()
        if elsewhere:
            writing.file(f"{aside}/.{_ELSEWHERE}", aside / _ELSEWHERE, json.dumps(list(map(str, elsewhere))).encode())
        for place in elsewhere:
            place.mkdir()
        for number, (target, tree) in enumerate(trees.items()):
            moves.append(_written(places[target] / str(number), target, tree))
        draft = aside / f".{_JOURNAL}"
        draft.write_bytes(json.dumps([asdict(_relative(move, aside)) for move in moves]).encode())
        _flush([aside, *elsewhere])
        draft.rename(aside / _JOURNAL)
        for move in moves:
            move.do()
        _flush([aside, *elsewhere])
    except BaseException:  # Ctrl-C, too, must put the old trees back
        if (aside / _JOURNAL).exists():
            for move in reversed(moves):
                move.undo()  # where this fails, the journal stays, and the next run completes
        _clear(aside, elsewhere)
        raise
    _clear(aside, elsewhere)


def recover(aside: Path) -> None:
    """Complete, or remove, what a dead run left at ``aside``: a folder of `replace`, or a file of `write_file`.

    Raises:
        OSError: if that cannot be done.
    """
    if not aside.is_dir():
        aside.unlink(missing_ok=True)
        return
    journal, elsewhere = aside / _JOURNAL, aside / _ELSEWHERE
    if journal.exists():
        moves = [_absolute(_Move(**move), aside) for move in json.loads(journal.read_bytes())]
        if any(move.is_begun for move in moves):
            for move in moves:
                move.complete()
    _clear(aside, list(map(Path, json.loads(elsewhere.read_bytes()))) if elsewhere.exists() else [])


def write_file(aside: Path, target: Path, content: bytes) -> None:
    """Write a file by way of the path ``aside``, or of one beside it on another mount: one at a time there.

    Raises:
        OSError: if that cannot be done; the old file is whole then.
    """
    place = _place(aside, target)
    if place != aside:
        place = target.with_name(_BESIDE)
        place.unlink(missing_ok=True)  # a killed run's
    writing.file(str(place), target, content)


def _written(place: Path, target: Path, tree: FileTree) -> _Move:
    """Write a tree aside; how it comes into its place."""
    place.mkdir()
    new, old = f"{place}/new", f"{place}/old"
    if tree.files:
        writing.tree(new, tree, str(target))
    return _Move(target=str(target), new=new, old=old, inode=_inode(new))


def _flush(folders: list[Path]) -> None:
    for folder in {folder.stat().st_dev: folder for folder in folders}.values():
        writing.flush(str(folder))


def _clear(aside: Path, elsewhere: list[Path]) -> None:
    """Remove the journal, and only then what it speaks of. What cannot be removed is left to the next run."""
    with contextlib.suppress(OSError):
        (aside / _JOURNAL).unlink(missing_ok=True)
        for folder in elsewhere:
            shutil.rmtree(folder, ignore_errors=True)
        if not any(map(os.path.lexists, elsewhere)):
            shutil.rmtree(aside, ignore_errors=True)


def _place(aside: Path, target: Path) -> Path:
    """Where to write what is to be renamed to ``target``: ``aside``, or a path on the same mount as ``target``."""
    folder = target.parent
    while not folder.exists():
        folder = folder.parent
    return aside if _mount(folder) == _mount(aside.parent) else folder / f".cluster-forge-{aside.name}"


def _mount(folder: Path) -> str | int:
    """What tells one mount from another; two may be of one file system, and renames do not cross them either."""
    descriptor = os.open(folder, os.O_RDONLY) if os.name == "posix" else None
    if descriptor is not None:
        try:
            with contextlib.suppress(OSError, StopIteration):  # Linux: proc_pid_fdinfo(5)
                lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines()
                return next(line for line in lines if line.startswith("mnt_id:"))
        finally:
            os.close(descriptor)
    return folder.stat().st_dev


def _inode(path: str) -> int:
    """What a path is; 0 where nothing is."""
    try:
        return os.lstat(path).st_ino
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _relative(move: _Move, aside: Path) -> _Move:
    """The move with the paths of the workspace relative to ``aside``, so that it may be moved in between."""
    workspace = aside.parent.parent

    def short(path: str) -> str:
        return os.path.relpath(path, aside) if Path(path).is_relative_to(workspace) else path

    return _Move(target=short(move.target), new=short(move.new), old=short(move.old), inode=move.inode)


def _absolute(move: _Move, aside: Path) -> _Move:
    def long(path: str) -> str:
        return os.path.normpath(aside / path)

    return _Move(target=long(move.target), new=long(move.new), old=long(move.old), inode=move.inode)
