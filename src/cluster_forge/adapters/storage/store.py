"""The content-addressed store: a directory of files named by their digests."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path

from cluster_forge.adapters.disk import plain_files
from cluster_forge.adapters.disk.os_errors import STORE, translated
from cluster_forge.adapters.storage.entry_writer import EntryWriter
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import WorkspaceError


class FolderStore:
    """`ports.Store` in a directory: ``sha256/ab/<hex>``.

    An entry appears by a rename, whole or not at all, so any number of processes may share the directory. Everything that is
    read is checked against its digest.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._writer = EntryWriter(root)

    def get(self, digest: Digest) -> bytes | None:
        path = self._path(digest)
        with translated("cannot be read", "the store", area=STORE, where=str(path)):
            try:
                content = plain_files.read(path, None)
            except (FileNotFoundError, NotADirectoryError):
                return None
            except WorkspaceError:  # a link, a pipe or a device
                content = None
            except OSError as error:
                if error.errno != errno.EFBIG:
                    raise
                content = None
        if content is not None and Digest.of(content) == digest:
            return content
        with contextlib.suppress(OSError):  # if it cannot be removed, the next `put` replaces it
            path.unlink()
        return None

    def put(self, content: bytes) -> Digest:
        digest = Digest.of(content)
        if self.get(digest) is None:
            with translated("cannot be written", "the store", area=STORE, where=str(self._root)):
                self._writer.write(self._path(digest), content, is_durable=True)
        return digest

    def _path(self, digest: Digest) -> Path:
        return self._root / "sha256" / digest.hex[:2] / digest.hex
