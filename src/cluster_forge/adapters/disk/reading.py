"""Folders walked and files read, fast: a stack has thousands."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from cluster_forge.foundation.errors import WorkspaceError
from cluster_forge.foundation.file_tree import FileTree

LARGEST: Final = 64 << 20
"""Bytes of a file in the workspace that is read: it is held in memory. Helm's own limit for a chart's file is less."""


def walk(folder: Path, allowed: Sequence[str], *, hidden: bool = False) -> Iterator[tuple[str, str]]:
    """Every file below ``folder`` (a real path): its path from there, and its real path.

    Raises:
        WorkspaceError: for a link that leads nowhere, out of the folders ``allowed`` or in a circle, for a device, and
            for a name that is no text.
        OSError: what cannot be read.
    """
    todo: list[tuple[str, str, tuple[str, ...]]] = [("", str(folder), (str(folder),))]
    while todo:
        start, place, around = todo.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith(".") and not hidden:
                    continue
                name, path, links = f"{start}{entry.name}", entry.path, around
                _refuse_bytes(name, place)
                if entry.is_symlink():
                    path = _followed(path, allowed, (place, *around))
                    links = (path, *around)
                if entry.is_dir():
                    todo.append((f"{name}/", path, links))
                elif entry.is_file():
                    yield name, path
                else:
                    raise neither(path)


def neither(path: str) -> WorkspaceError:
    """What is wrong with a pipe, a socket or a device: to read one may take for ever."""
    return WorkspaceError(
        "this is neither a file nor a folder", where=path, fix="remove it, or give it a name that begins with a dot"
    )


def _refuse_bytes(name: str, folder: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise WorkspaceError(
            f"the name of {os.fsencode(name)!r} is no text",
            where=folder,
            fix="rename it: names are UTF-8; or give it a name that begins with a dot",
        ) from error


def refuse_file(folder: Path) -> None:
    """See to it that a folder which is to be replaced is a folder, or not there.

    Raises:
        WorkspaceError: if somebody's file would be lost.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise WorkspaceError(
            "this is no folder, and a folder has to be here", where=str(folder), fix="move it away, or rename it"
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


def tree(found: Iterable[tuple[str, str]], largest: int | None = None) -> FileTree:
    """What `walk` found, as a value.

    Raises:
        WorkspaceError: for a file of more than ``largest`` bytes.
    """
    files: dict[str, bytes] = {}
    executable: set[str] = set()
    for name, path in found:
        files[name], may_run = content(path, largest)
        if may_run:
            executable.add(name)
    return FileTree(files, frozenset(executable))


def content(path: str, largest: int | None = None) -> tuple[bytes, bool]:
    """A file's bytes, and whether its owner may run it.

    Raises:
        WorkspaceError: for one of more than ``largest`` bytes.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        status = os.fstat(descriptor)
        if largest is not None and status.st_size > largest:
            raise WorkspaceError(
                f"this file holds {status.st_size >> 20} MiB, and at most {largest >> 20} MiB are read",
                where=path,
                fix="move it out of what the description names, or give it a name that begins with a dot",
            )
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
    except (WorkspaceError, OSError):
        return False
