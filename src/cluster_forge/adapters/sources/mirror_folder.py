"""A mirror in a directory: its ``index.yaml`` and its files, none of them outside."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cluster_forge.adapters.sources import mirror_index
from cluster_forge.adapters.sources.mirror_index import MirrorEntry, MirrorFile
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import FetchError

_LARGEST: Final = 640 << 20
"""Bytes of a file, more than of a base image; a file with holes may claim to have any number."""


class MirrorFolder:
    """`MirrorPlace` in a directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.index = folder / mirror_index.FILE

    @property
    def title(self) -> str:
        return str(self.index)

    def entries(self) -> Sequence[MirrorEntry]:
        try:
            content = _content(self.index)
        except OSError as error:
            raise self._unreadable(error) from error
        return mirror_index.read(content, str(self.index), is_inside=self._has)

    def content(self, file: MirrorFile) -> bytes:
        path = self._folder / file.name
        try:
            content = _content(path)
        except OSError as error:
            raise FetchError(
                f"{path} of the mirror cannot be read: {error.strerror}",
                where=file.where,
                fix="put the file there, or remove the entry from the mirror's index.yaml",
            ) from error
        digest = Digest.of(content)
        if digest != file.digest:
            raise FetchError(
                f"{path} does not match the mirror's index: the index has {file.digest}, the file has {digest}",
                where=file.where,
                fix="fetch the file again, or correct the index",
            )
        return content

    def check_index(self) -> None:
        """Check that there is an index, without reading it.

        Raises:
            FetchError: if there is none.
        """
        try:
            self.index.stat()
        except OSError as error:
            raise self._unreadable(error) from error

    def _has(self, name: str) -> bool:
        """Whether a path is in the directory, also behind links."""
        real = Path(os.path.realpath(self._folder / name))
        return real.is_relative_to(os.path.realpath(self._folder)) and not Path(name).is_absolute()

    def _unreadable(self, error: OSError) -> FetchError:
        return FetchError(
            f"the mirror's index cannot be read: {error.strerror}",
            where=without_credentials(str(self.index)),
            fix="name the directory with the mirror's index.yaml: --mirror DIR",
        )


def _content(path: Path) -> bytes:
    """A regular file's content. A pipe could keep the reader for ever, a device has no end.

    Raises:
        OSError: if it cannot be read, is not a regular file, or is larger than `_LARGEST`.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        if status.st_size > _LARGEST:
            raise OSError(errno.EFBIG, f"it is larger than {_LARGEST >> 20} MiB", str(path))
        return file.read()
