"""What was made, in the store's folder: ``made/<kind>/ab/<key>``, each entry sealed with a digest over key and content."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from pathlib import Path

from cluster_forge.foundation.digest import Digest

_HEAD = 32
"""A SHA-256 digest in bytes."""
_FRESH = 3600
"""Seconds in which a use of an entry is not noted once more."""


class FolderCache:
    """`ports.Cache` in a folder.

    An entry appears by a rename, whole or not at all; whatever is read is checked against its seal, so that a damaged
    one, or one of another key, counts as not there. A folder that cannot be written keeps nothing, and nobody has to know.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / "made"
        self._unfinished = root / "unfinished"

    def get(self, kind: str, key: Digest) -> bytes | None:
        path = self._path(kind, key)
        try:
            entry = path.read_bytes()
        except OSError:
            return None
        content = entry[_HEAD:]
        if _seal(kind, key, content) != entry[:_HEAD]:
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        _note_use(path)
        return content

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        path = self._path(kind, key)
        aside = self._unfinished / f"{os.getpid()}-{secrets.token_hex(8)}"
        with contextlib.suppress(OSError):
            self._unfinished.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                aside.write_bytes(_seal(kind, key, content) + content)
                aside.replace(path)
            finally:
                aside.unlink(missing_ok=True)

    def _path(self, kind: str, key: Digest) -> Path:
        return self._root / kind / key.hex[:2] / key.hex


class NoCache:
    """`ports.Cache` that keeps nothing: everything is made anew."""

    def get(self, kind: str, key: Digest) -> bytes | None:  # noqa: ARG002 - the port's signature
        return None

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        """Nothing is kept."""


def _seal(kind: str, key: Digest, content: bytes) -> bytes:
    """What goes before the content: it belongs to this key and no other, and nothing of it is missing."""
    state = hashlib.sha256(f"{kind} {key}\n".encode())
    state.update(content)
    return state.digest()


def _note_use(path: Path) -> None:
    """Let the file's time say when the entry was last used: `store clean --older-than` goes by that."""
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > _FRESH:
            os.utime(path)
