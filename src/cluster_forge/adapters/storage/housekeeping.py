"""How much a store holds, and removing what is unused: sources by digest (``sha256``) and the cache (``made/<kind>``)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from cluster_forge.adapters.disk import walking
from cluster_forge.adapters.disk.os_errors import STORE, translated
from cluster_forge.ports.storage import StoredKind

SOURCES = "sources"


def stored_kinds(root: Path) -> tuple[StoredKind, ...]:
    """Every kind of entries in a store, sources first. A store that does not exist has no entries.

    Raises:
        StoreError: if the directory cannot be read.
    """
    now = time.time()
    with translated("cannot be read", "the store", area=STORE):
        return tuple(_total(kind, [status for _, status in _entries(folder)], now) for kind, folder in _folders(root))


def clean(root: Path, older_than: float, *, sources: bool) -> tuple[StoredKind, ...]:
    """Remove the entries that were not used for ``older_than`` seconds, sources only on demand; what was removed, by kind.

    A process that needs a removed entry creates or fetches it again, also while it is being removed.

    Raises:
        StoreError: if the directory cannot be read or written.
    """
    now = time.time()
    removed = []
    with translated("cannot be cleaned", "the store", area=STORE):
        for kind, folder in _folders(root):
            unused = []
            for path, status in _entries(folder) if sources or kind != SOURCES else ():
                if now - status.st_mtime >= older_than:
                    Path(path).unlink(missing_ok=True)
                    unused.append(status)
            removed.append(_total(kind, unused, now))
    return tuple(removed)


def _total(kind: str, entries: list[os.stat_result], now: float) -> StoredKind:
    oldest = max((now - status.st_mtime for status in entries), default=0.0)
    size = sum(status.st_size for status in entries)
    return StoredKind(kind=kind, entries=len(entries), size=size, oldest=max(0.0, oldest))


def _folders(root: Path) -> Iterator[tuple[str, Path]]:
    yield SOURCES, root / "sha256"
    try:
        kinds = [] if (root / "made").is_symlink() else sorted((root / "made").iterdir())
    except FileNotFoundError:
        kinds = []
    yield from ((folder.name, folder) for folder in kinds if folder.is_dir() and not folder.is_symlink())


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every entry of one kind; what vanishes meanwhile is left out. Links lead to nothing of the store: they are not followed."""
    if folder.is_symlink():
        return
    for _, entry in walking.scan(str(folder), _ignore_missing, links=False):
        with contextlib.suppress(FileNotFoundError):
            yield entry.path, entry.stat(follow_symlinks=False)


def _ignore_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
