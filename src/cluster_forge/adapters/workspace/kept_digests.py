"""The digests of the workspace's files, kept from run to run: a file is read only if its stamp is new or was young.

This module decides when a kept digest is believed; decision 0027 says why that is safe.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from cluster_forge.adapters.disk import mounts, reading
from cluster_forge.adapters.disk.os_errors import translated
from cluster_forge.adapters.workspace.file_stamps import Stamp
from cluster_forge.adapters.workspace.workspace_files import WorkspaceFiles
from cluster_forge.foundation import build
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import TreeDigests
from cluster_forge.ports.storage import Cache
from cluster_forge.ports.workers import Workers

_KIND: Final = "stamps"
_YOUNG: Final = 3_000_000_000
"""Nanoseconds; the coarsest clock of a file system ticks every second."""
_LARGEST: Final = (1 << 63) - 1
"""Of a number in the cache: some file systems have dates millennia away."""
_FILE_SYSTEMS: Final = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "xfs", "zfs"})
"""Local ones: each change of a file sets its time of status change by this machine's clock, and is seen at once."""
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class KeptDigests:
    """`ports.FolderDigests` of a workspace. Digests are kept in the cache: none can come with a workspace.

    A digest is kept for a stamp, whatever the file's path, and believed until the machine starts again. It is not kept for a
    stamp so young that the next change might give the same one, nor where stamps are not known to be reliable.
    """

    def __init__(self, files: WorkspaceFiles, cache: Cache, workers: Workers) -> None:
        self._files = files
        self._cache = cache
        self._workers = workers

    def of(self, folders: Sequence[str]) -> Mapping[str, TreeDigests]:
        began = time.time_ns()
        key = build.key(_KIND, _boot_id(), os.fsencode(self._files.root), *map(os.fsencode, folders))
        known = self._known(key)
        trees = self._workers.map(functools.partial(self._files_in, known=known), folders)
        kept = _to_keep([file for files in trees if files for file in files.values()], known, began)
        if kept != known:
            self._cache.put(_KIND, key, orjson.dumps([(*stamp, digest.hex) for stamp, digest in kept.items()]))
        return {folder: _digests(files) for folder, files in zip(folders, trees, strict=True) if files is not None}

    def _known(self, key: Digest) -> Mapping[Stamp, Digest]:
        content = self._cache.get(_KIND, key)
        return {Stamp(*stamp): Digest(digest) for *stamp, digest in orjson.loads(content)} if content else {}

    def _files_in(self, folder: str, known: Mapping[Stamp, Digest]) -> Mapping[str, _File] | None:
        with translated("cannot be read", folder):
            paths = self._files.paths(folder)
            return None if paths is None else {name: _file(path, known) for name, path in paths}


class _File(NamedTuple):
    path: str
    stamp: Stamp
    digest: Digest
    is_executable: bool


def _file(path: str, known: Mapping[Stamp, Digest]) -> _File:
    """A file with its digest. The stamp is that before reading: if the file changes meanwhile, it has another one later."""
    status = os.stat(path)  # noqa: PTH116 - a hot path works on strings
    stamp = Stamp.of(status)
    digest = known.get(stamp)
    if digest is None:
        content, status = reading.file(path, reading.LARGEST)
        stamp, digest = Stamp.of(status), Digest.of(content)
    return _File(path, stamp, digest, reading.is_executable(status))


def _to_keep(files: Sequence[_File], known: Mapping[Stamp, Digest], began: int) -> Mapping[Stamp, Digest]:
    """The digests that a later run may believe. ``began`` is a time before any of the files was looked at."""
    new = [
        file
        for file in files
        if file.stamp not in known and file.stamp.changed < began - _YOUNG and max(map(abs, file.stamp)) <= _LARGEST
    ]
    devices = _reliable_devices(new)
    return {
        **{file.stamp: file.digest for file in files if file.stamp in known},
        **{file.stamp: file.digest for file in new if file.stamp.device in devices},
    }


def _reliable_devices(files: Iterable[_File]) -> Collection[int]:
    """The devices of those files whose stamps can be relied on until the machine starts again."""
    if not _boot_id():
        return ()
    paths = {file.stamp.device: Path(file.path) for file in files}
    return [device for device, path in paths.items() if mounts.file_system(path) in _FILE_SYSTEMS]


def _digests(files: Mapping[str, _File]) -> TreeDigests:
    executable = frozenset(name for name, file in files.items() if file.is_executable)
    return TreeDigests({name: file.digest for name, file in files.items()}, executable)


def _boot_id() -> bytes:
    """What Linux calls this start of this machine; empty elsewhere."""
    with contextlib.suppress(OSError):
        return _BOOT_ID.read_bytes()
    return b""
