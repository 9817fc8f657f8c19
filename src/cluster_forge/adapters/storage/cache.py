"""The cache beside the store: ``made/<kind>/ab/<name>``, each entry sealed with the user's secret."""

from __future__ import annotations

import contextlib
import functools
import hmac
import os
import time
from pathlib import Path

from cluster_forge.adapters.disk import plain_files, user_secret
from cluster_forge.adapters.storage.entry_writer import EntryWriter
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import WorkspaceError

_SEAL = 32
"""Bytes of an HMAC with SHA-256."""
_MODE = 0o600
"""For the user alone: entries are made of values, which may hold passwords, also in a store that others use."""
_FRESH = 3600
"""Seconds during which another use of an entry is not noted."""


class FolderCache:
    """`ports.Cache` in a directory.

    An entry appears by a rename, whole or not at all. Everything that is read is checked against its seal, an HMAC over
    key and content with a secret (of this user, unless one is given): a damaged entry, one of another key, and one that
    does not know the secret count as missing. So other users who can write to the directory cannot decide what is built. The
    name of an entry follows from the secret, too: users who share a directory do not replace each other's entries. If the
    directory cannot be written, or the user's secret cannot be kept, nothing is kept, and no error is raised.
    """

    def __init__(self, root: Path, secret: bytes | None = None) -> None:
        self._root = root / "made"
        self._writer = EntryWriter(root)
        self._given = secret

    @functools.cached_property
    def _secret(self) -> bytes:
        """Empty: there is none."""
        return (user_secret.kept() or b"") if self._given is None else self._given

    def get(self, kind: str, key: Digest) -> bytes | None:
        if not self._secret:
            return None
        path = self._path(kind, key)
        try:
            entry = plain_files.read(path, None)
        except (OSError, WorkspaceError):
            return None
        content = entry[_SEAL:]
        if not hmac.compare_digest(self._seal(kind, key, content), entry[:_SEAL]):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        _note_use(path)
        return content

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        if not self._secret:
            return
        with contextlib.suppress(OSError):
            entry = self._seal(kind, key, content) + content
            self._writer.write(self._path(kind, key), entry, is_durable=False, mode=_MODE)

    def _path(self, kind: str, key: Digest) -> Path:
        name = hmac.digest(self._secret, f"name {kind} {key}".encode(), "sha256").hex()
        return self._root / kind / name[:2] / name

    def _seal(self, kind: str, key: Digest, content: bytes) -> bytes:
        """What precedes the content: proves that it belongs to this key, is complete, and was sealed with the secret."""
        state = hmac.new(self._secret, f"{kind} {key}\n".encode(), "sha256")
        state.update(content)
        return state.digest()


class NoCache:
    """`ports.Cache` that keeps nothing, for ``--no-cache``."""

    def get(self, kind: str, key: Digest) -> bytes | None:  # noqa: ARG002 - the port's signature
        return None

    def put(self, kind: str, key: Digest, content: bytes) -> None:
        """Keep nothing."""


def _note_use(path: Path) -> None:
    """Set the entry's time to now: `store clean --older-than` goes by it."""
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > _FRESH:
            os.utime(path)
