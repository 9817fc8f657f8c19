"""The cache beside the store: ``made/<kind>/ab/<key>``, each entry sealed with a digest over its key and content."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path

from cluster_forge.adapters.storage.entry_writer import EntryWriter
from cluster_forge.foundation.digest import Digest

_SEAL = 32
"""Bytes of a SHA-256 digest."""
_MODE = 0o600
"""For the user alone: entries are made of values, which may hold passwords, also in a store that others use."""
_FRESH = 3600
"""Seconds during which another use of an entry is not noted."""


class FolderCache:
    """`ports.Cache` in a directory.

    An entry appears by a rename, whole or not at all. Everything that is read is checked against its seal: a damaged entry,
    or one of another key, counts as missing, as does one of another user. If the directory cannot be written, nothing is kept, and no error is raised.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / "made"
        self._writer = EntryWriter(root)

    def get(self, kind: str, key: Digest) -> bytes | None:
        path = self._path(kind, key)
        try:
            entry = path.read_bytes()
        except OSError:
            return None
        content = entry[_SEAL:]
        if _seal(kind, key, content) != entry[:_SEAL]:
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        _note_use(path)
        return content

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        with contextlib.suppress(OSError):
            self._writer.write(self._path(kind, key), _seal(kind, key, content) + content, is_durable=False, mode=_MODE)

    def _path(self, kind: str, key: Digest) -> Path:
        return self._root / kind / key.hex[:2] / key.hex


class NoCache:
    """`ports.Cache` that keeps nothing, for ``--no-cache``."""

    def get(self, kind: str, key: Digest) -> bytes | None:  # noqa: ARG002 - the port's signature
        return None

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        """Keep nothing."""


def _seal(kind: str, key: Digest, content: bytes) -> bytes:
    """The digest before the content: proves that it belongs to this key and is complete."""
    state = hashlib.sha256(f"{kind} {key}\n".encode())
    state.update(content)
    return state.digest()


def _note_use(path: Path) -> None:
    """Set the entry's time to now: `store clean --older-than` goes by it."""
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > _FRESH:
            os.utime(path)
