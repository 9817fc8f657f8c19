"""Repositories that are created with the first one that is read or written: a `cast` without changes needs no Git."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from cluster_forge.foundation.file_tree import NO_FILES, FileTree
from cluster_forge.ports.git import Repositories, Repository


class LazyRepositories:
    """`ports.Repositories` that ``create`` returns."""

    def __init__(self, create: Callable[[], Repositories]) -> None:
        self._create = create

    @cached_property
    def _repositories(self) -> Repositories:
        return self._create()

    def files(self, repository: FileTree, known: FileTree = NO_FILES) -> FileTree:
        return self._repositories.files(repository, known)

    def bare(self, tree: FileTree, *, message: str, time: int, tag: str = "") -> Repository:
        return self._repositories.bare(tree, message=message, time=time, tag=tag)
