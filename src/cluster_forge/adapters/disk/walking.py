"""Directory trees walked fast: a stack has thousands of files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from cluster_forge.foundation.error_groups import raise_all
from cluster_forge.foundation.errors import WorkspaceError

_DEEPEST: Final = 40
"""Levels of directories in `scan`: links may form a cycle."""
_DEEPEST_WRITTEN: Final = 100
"""Levels of directories in `names`: no stage writes so many, and removing a thousand of them is beyond Python."""


def walk(folder: Path, allowed: Sequence[str], *, hidden: bool = False) -> Iterator[tuple[str, str]]:
    """Every file below ``folder`` (a real path): its path relative to ``folder``, and its real path.

    Raises:
        WorkspaceError, ExceptionGroup: after the last file, for each link that is broken, points out of the directories
            ``allowed`` or forms a cycle; for each device; for each name that is not text.
        OSError: for what cannot be read.
    """
    errors: list[WorkspaceError] = []
    pending: list[tuple[str, str, tuple[str, ...]]] = [("", str(folder), (str(folder),))]
    while pending:
        prefix, directory, ancestors = pending.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.startswith(".") and not hidden:
                    continue
                name, path, above = f"{prefix}{entry.name}", entry.path, ancestors
                try:
                    _refuse_bytes(name, directory)
                    if entry.is_symlink():
                        path = _followed(path, allowed, (directory, *ancestors))
                        above = (path, *ancestors)
                    if entry.is_dir():
                        pending.append((f"{name}/", path, above))
                        continue
                    if not entry.is_file():
                        raise special_file(path)
                except WorkspaceError as error:
                    errors.append(error)
                else:
                    yield name, path
    raise_all(sorted(errors, key=lambda error: error.where or ""))


def scan(
    folder: str, unreadable: Callable[[OSError], None], *, links: bool = True
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file below ``folder`` with its path from there, links (unless ``links`` is not set) followed without a check.

    ``unreadable`` decides about a directory that cannot be read (or has vanished): it raises, or the directory is skipped.
    """
    pending = [("", folder, 0)]
    while pending:
        prefix, directory, depth = pending.pop()
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=links) and depth < _DEEPEST:
                        pending.append((f"{prefix}{entry.name}/", entry.path, depth + 1))
                    else:
                        yield prefix + entry.name, entry
        except OSError as error:
            unreadable(error)


def names(folder: Path) -> Iterator[str]:
    """The path, from ``folder``, of everything below it that is not a directory. Links are not followed.

    Raises:
        WorkspaceError: if directories are nested so deep that no stage wrote them.
        OSError: for a directory that cannot be read.
    """
    pending = [("", str(folder), 0)]
    while pending:
        prefix, directory, depth = pending.pop()
        if depth > _DEEPEST_WRITTEN:
            raise WorkspaceError(
                f"directories nested too deep (limit {_DEEPEST_WRITTEN})",
                where=str(folder),
                fix="move the directories away that cluster-forge did not write",
            )
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append((f"{prefix}{entry.name}/", entry.path, depth + 1))
                else:
                    yield prefix + entry.name


def is_inside(path: str, folders: Iterable[str]) -> bool:
    """Whether ``path`` is one of the directories, or below one."""
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def special_file(path: str) -> WorkspaceError:
    """The error for a pipe, a socket or a device: reading one may never end."""
    return WorkspaceError(
        "neither a file nor a directory (a pipe, a socket or a device)",
        where=path,
        fix="remove it, or give it a name that begins with a dot",
    )


def _refuse_bytes(name: str, folder: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise WorkspaceError(
            f"the file name {os.fsencode(name)!r} is not UTF-8 text",
            where=folder,
            fix="rename it, or give it a name that begins with a dot",
        ) from error


def _followed(link: str, allowed: Sequence[str], ancestors: Sequence[str]) -> str:
    """The target of a link.

    Raises:
        WorkspaceError: if it does not exist, is outside of the directories ``allowed``, or is one of the ``ancestors``.
    """
    target = os.path.realpath(link)
    if not os.path.lexists(target) or os.path.islink(target):  # noqa: PTH114 - a hot path works on strings
        problem = "the link is broken: its target does not exist"
    elif not is_inside(target, allowed):
        problem = f"the link points out of the {'workspace' if len(allowed) > 1 else 'chart'}, to {target}"
    elif any(is_inside(folder, (target,)) for folder in ancestors):
        problem = "the link points to a directory that contains it"
    else:
        return target
    raise WorkspaceError(problem, where=link, fix="replace the link by the file or directory itself")
