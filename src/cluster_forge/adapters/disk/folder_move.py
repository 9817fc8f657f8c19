"""One directory on its way into its place: forward, back, or completed after a crash."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster_forge.adapters.disk import exchange, flushing


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderMove:
    """``new`` replaces ``target``; the old tree moves to where ``new`` was, to ``old``, or to ``copy``.

    ``inode`` is the new tree's; 0 if ``target`` is only removed. As soon as ``copy`` exists, ``target`` may lack files.
    """

    target: str
    new: str
    old: str
    inode: int

    @property
    def is_done(self) -> bool:
        return inode_of(self.target) == self.inode

    @property
    def is_started(self) -> bool:
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
        elif not exchange.exchange(self.new, self.target):
            self._move_away()
            Path(self.new).rename(target)

    def undo(self) -> None:
        target = Path(self.target)
        is_new = bool(self.inode) and self.is_done
        if is_new and not (os.path.lexists(self.new) and exchange.exchange(self.new, self.target)):
            target.rename(self.new)
        if os.path.lexists(self.copy):
            shutil.rmtree(target, ignore_errors=True)
            Path(self.copy).rename(target)
        elif os.path.lexists(self.old):
            Path(self.old).rename(target)

    def complete(self) -> None:
        """Do what is still missing. A directory that was created at a missing ``target`` since then stays."""
        if self.is_done:
            return
        has_new = os.path.lexists(self.new)
        if os.path.lexists(self.copy) and (has_new or not self.inode):
            shutil.rmtree(self.target, ignore_errors=True)
        if os.path.lexists(self.target):
            is_due = not os.path.lexists(self.old) and inode_of(self.new) == self.inode
        else:
            is_due = has_new
        if is_due:
            self.do()

    def _move_away(self) -> None:
        try:
            Path(self.target).rename(self.old)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            draft = Path(f"{self.old}-draft")
            shutil.rmtree(draft, ignore_errors=True)  # of a killed run
            shutil.copytree(self.target, draft, symlinks=True)
            flushing.sync_tree(str(draft))
            draft.rename(self.copy)
            shutil.rmtree(self.target)


def inode_of(path: str) -> int:
    """The inode at a path; 0 if nothing is there."""
    try:
        return os.lstat(path).st_ino
    except (FileNotFoundError, NotADirectoryError):
        return 0
