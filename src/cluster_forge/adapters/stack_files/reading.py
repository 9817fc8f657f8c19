"""Folders walked and files read, fast: a stack has thousands."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree


def walk(folder: Path, allowed: Sequence[str], *, hidden: bool = False) -> Iterator[tuple[str, str]]:
    """Every file below ``folder`` (a real path): its path from there, and its real path.

    Raises:
        WorkspaceError: for a link that leads nowhere, out of the folders ``allowed`` or in a circle, and for a device.
        OSError: what cannot be read.
        UnicodeError: a name that is no text.
    """
    todo: list[tuple[str, str, tuple[str, ...]]] = [("", str(folder), (str(folder),))]
    while todo:
        start, place, around = todo.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith(".") and not hidden:
                    continue
                name, path, links = f"{start}{entry.name}", entry.path, around
                name.encode()
                if entry.is_symlink():
                    path = _followed(path, allowed, (place, *around))
                    links = (path, *around)
                if entry.is_dir():
                    todo.append((f"{name}/", path, links))
                elif entry.is_file():
                    yield name, path
                else:
                    raise WorkspaceError(
                        "this is neither a file nor a folder",
                        where=path,
                        fix="remove it, or give it a name that begins with a dot",
                    )


def _followed(link: str, allowed: Sequence[str], around: Sequence[str]) -> str:
    """Where a link leads.

    Raises:
        WorkspaceError: nowhere, out of the folders ``allowed``, or back to one of the folders around it.
    """
    real = os.path.realpath(link)
    if not os.path.lexists(real) or os.path.islink(real):  # noqa: PTH114 - a hot path works on strings
        problem = "the link leads nowhere"
    elif not is_inside(real, allowed):
        problem = f"the link leads out of the {'workspace' if len(allowed) > 1 else 'chart'}, to {real}"
    elif any(is_inside(folder, (real,)) for folder in around):
        problem = "the link leads back to a folder that it lies in"
    else:
        return real
    raise WorkspaceError(problem, where=link, fix="put the file itself in the place of the link")


def is_inside(path: str, folders: Iterable[str]) -> bool:
    """Whether ``path`` is one of the folders, or below one."""
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def tree(found: Iterable[tuple[str, str]]) -> FileTree:
    """What `walk` found, as a value."""
    files: dict[str, bytes] = {}
    executable: set[str] = set()
    for name, path in found:
        files[name], may_run = content(path)
        if may_run:
            executable.add(name)
    return FileTree(files, frozenset(executable))


def content(path: str) -> tuple[bytes, bool]:
    """A file's bytes, and whether its owner may run it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        status = os.fstat(descriptor)
        found = os.read(descriptor, status.st_size + 1)
        if len(found) != status.st_size:  # longer than one read, or growing just now
            while more := os.read(descriptor, 1 << 24):
                found += more
    finally:
        os.close(descriptor)
    return found, bool(status.st_mode & stat.S_IXUSR)


def holds(folder: Path, wanted: FileTree) -> bool:
    """Whether ``folder`` holds exactly that tree and no link. Sizes are compared first: they mostly tell."""
    if not folder.is_dir():
        return not wanted.files and not os.path.lexists(folder)
    try:
        found = dict(walk(folder, (), hidden=True))
        sizes = {name: Path(path).stat().st_size for name, path in found.items()}
        return bool(found) and sizes == {name: len(wanted[name]) for name in wanted} and tree(found.items()) == wanted
    except (WorkspaceError, OSError, UnicodeError):
        return False
