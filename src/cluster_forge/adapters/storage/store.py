"""The content-addressed store: a folder of bytes named by their digests."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import Final

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StoreError

_FIXES: Final = {
    errno.ENOSPC: "free some space on the disk, or take a store elsewhere: --store DIR",
    errno.EDQUOT: "free some of your quota, or take a store elsewhere: --store DIR",
    errno.EROFS: "the file system is read-only: take a store elsewhere, --store DIR",
}
_OTHERWISE: Final = "see to it that the folder can be written, or take another: --store DIR"


class FolderStore:
    """`ports.Store` in a folder: ``sha256/ab/<hex>``.

    An entry appears by a rename, whole or not at all, so any number of processes may share the folder. Whatever is
    read is checked against its digest. Entries are written in ``unfinished/``, where nobody reads; what killed processes
    left there is removed by the next one that writes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unfinished = root / "unfinished"
        self._is_cleared = False

    def get(self, digest: Digest) -> bytes | None:
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(
                f"the store's entry cannot be read: {error.strerror}",
                where=str(path),
                fix="see to it that the folder can be read, or take another: --store DIR",
            ) from error
        if Digest.of(content) == digest:
            return content
        with contextlib.suppress(OSError):  # where it cannot be removed, the next `put` replaces it
            path.unlink()
        return None

    def put(self, content: bytes) -> Digest:
        digest = Digest.of(content)
        if self.get(digest) is None:
            self._write(self._path(digest), content)
        return digest

    def _path(self, digest: Digest) -> Path:
        return self._root / "sha256" / digest.hex[:2] / digest.hex

    def _write(self, path: Path, content: bytes) -> None:
        try:
            self._unfinished.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not self._is_cleared:
                self._is_cleared = True
                for left in self._unfinished.iterdir():
                    _remove_if_dead(left)
            attempts = 3
            while not self._attempt(path, content):
                attempts -= 1
                if not attempts:
                    raise FileNotFoundError(errno.ENOENT, "somebody removes what is written there")
            _sync_folder(path.parent)
        except OSError as error:
            raise StoreError(
                f"the store cannot be written: {error.strerror}",
                where=str(self._root),
                fix=_FIXES.get(error.errno or 0, _OTHERWISE),
            ) from error

    def _attempt(self, path: Path, content: bytes) -> bool:
        """False where another process took the file for a dead one's: it looked before the file was claimed."""
        aside = self._unfinished / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            with aside.open("xb") as file:
                _claim(file.fileno())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except FileNotFoundError:
            return False
        finally:
            aside.unlink(missing_ok=True)
        return True


def _claim(descriptor: int) -> bool:
    """Mark an open file as a living process': the system forgets it when that process ends. False: it is another's."""
    try:
        import fcntl  # noqa: PLC0415 - there is none on Windows, where nobody can remove an open file anyway

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return True
    except OSError:  # also where the file system has no such locks: then nothing is known to be dead
        return False
    return True


def _remove_if_dead(left: Path) -> None:
    with contextlib.suppress(OSError):
        with left.open("r+b") as file:
            is_dead = _claim(file.fileno())
        if is_dead:
            left.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` last. Where folders cannot be opened (Windows) the system sees to it itself."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
