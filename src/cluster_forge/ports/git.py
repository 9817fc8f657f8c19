"""Bare Git repositories as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cluster_forge.foundation.file_tree import FileTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A bare Git repository as files, and the id of its one commit.

    ``skeleton`` is the same repository without the contents of the committed files, which whoever has the files can
    put back (`cluster_forge.oci.image_content`).
    """

    files: FileTree
    skeleton: FileTree
    commit: str


class Repositories(Protocol):
    """Makes Git repositories, and reads them."""

    def files(self, repository: FileTree) -> FileTree:
        """The files of the one commit of a bare repository that `bare` made.

        Raises:
            RepositoryError: if it is damaged, or none of ours.
        """

    def bare(self, tree: FileTree, *, message: str, time: int, tag: str = "") -> Repository:
        """A bare repository whose branch ``main`` (and ``tag``, if given) is one commit of ``tree``.

        ``time`` is in seconds since 1970. The same arguments give the same bytes.

        Raises:
            RepositoryError: if ``tree`` cannot be committed, or ``tag`` is no name for a tag.
        """
