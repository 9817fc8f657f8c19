"""compare: what is another in `working/` than in the stack that was cast last."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports.git import Repositories
from cluster_forge.ports.workspace import Workspace
from cluster_forge.stages.build import working_tree
from cluster_forge.stages.build.cast import STACKS

_MOST_LINES = 20_000
"""A longer file is not compared line by line: that takes quadratic time."""


class Change(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A file of ``working/`` and how it differs; ``lines`` are those of a unified diff, none where it would be too long."""

    path: str
    change: Change
    lines: tuple[str, ...] = ()


def compare(stack: str, files: Workspace, repositories: Repositories) -> tuple[Difference, ...]:
    """Every file that differs, by path. Hand edits count: they would be cast.

    Raises:
        StaleError: if nothing was smelted, or nothing was cast.
        RepositoryError: if what was cast is damaged.
    """
    found = working_tree.look(files)
    if found is None:
        raise StaleError("there is no working/ that smelt made", fix="run `cluster-forge smelt` (or `forge`)")
    folder = f"{STACKS}/{stack}/repo.git"
    cast = files.read_tree(folder)
    if cast is None:
        raise StaleError(f"{folder} is not there: nothing was cast yet", fix="run `cluster-forge cast` once")
    return tuple(_between(repositories.files(cast), found.tree))


def _between(cast: FileTree, present: FileTree) -> Iterator[Difference]:
    for path in sorted(cast.files.keys() | present.files.keys()):
        before, now = cast.files.get(path), present.files.get(path)
        if before != now:
            change = Change.ADDED if before is None else Change.REMOVED if now is None else Change.CHANGED
            yield Difference(path=path, change=change, lines=tuple(_lines(path, before or b"", now or b"")))


def _lines(path: str, before: bytes, now: bytes) -> Sequence[str]:
    old, new = (content.decode(errors="replace").splitlines() for content in (before, now))
    if len(old) + len(new) > _MOST_LINES:
        return ()
    return list(difflib.unified_diff(old, new, f"cast/{path}", f"working/{path}", lineterm=""))
