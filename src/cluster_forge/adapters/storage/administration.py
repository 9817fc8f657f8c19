"""What a store's folder holds, and clearing it: sources by digest (``sha256``), and what was made of them (``made``)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from cluster_forge.foundation.errors import StoreError
from cluster_forge.ports.storage import StoredKind

SOURCES = "sources"


def shelves(root: Path) -> tuple[StoredKind, ...]:
    """Every kind of entries in a store, sources first; nothing where there is no store.

    Raises:
        StoreError: if the folder cannot be read.
    """
    now = time.time()
    found = []
    for kind, folder in _folders(root):
        states = [state for _, state in _entries(folder)]
        oldest = max((now - state.st_mtime for state in states), default=0.0)
        size = sum(state.st_size for state in states)
        found.append(StoredKind(kind=kind, entries=len(states), size=size, oldest=max(0.0, oldest)))
    return tuple(found)


def clear(root: Path, older_than: float, *, sources: bool) -> tuple[StoredKind, ...]:
    """Remove what was not used for ``older_than`` seconds; ``sources`` too, if asked for. What was removed, by kind.

    Whoever still wants such an entry makes or fetches it anew, also while it is being removed.

    Raises:
        StoreError: if the folder cannot be read or written.
    """
    now = time.time()
    removed = []
    for kind, folder in _folders(root):
        count, size, oldest = 0, 0, 0.0
        for path, state in _entries(folder) if sources or kind != SOURCES else ():
            age = now - state.st_mtime
            if age >= older_than:
                _remove(path)
                count, size, oldest = count + 1, size + state.st_size, max(oldest, age)
        removed.append(StoredKind(kind=kind, entries=count, size=size, oldest=oldest))
    return tuple(removed)


def _folders(root: Path) -> Iterator[tuple[str, Path]]:
    try:
        made = sorted(path for path in (root / "made").iterdir() if path.is_dir())
    except FileNotFoundError:
        made = []
    except OSError as error:
        raise _unusable(root, error) from error
    yield SOURCES, root / "sha256"
    for path in made:
        yield path.name, path


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every entry of one kind: they lie one folder deep. What vanishes meanwhile is none."""
    try:
        folders = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(folder, error) from error
    for shelf in folders:
        with contextlib.suppress(FileNotFoundError), os.scandir(shelf) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    yield entry.path, entry.stat(follow_symlinks=False)


def _remove(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108 - of thousands
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unusable(Path(path), error) from error


def _unusable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"the store cannot be looked through: {error.strerror}",
        where=str(path),
        fix="see to it that the folder can be read and written, or name another: --store DIR",
    )
