"""Bare Git repositories as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cluster_forge.foundation.file_tree import NO_FILES, FileTree
from cluster_forge.foundation.git_addresses import GitAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A bare Git repository as files, and the id of its one commit.

    ``skeleton`` is the same repository without the contents of the committed files: with those files at hand it can be
    completed again (`cluster_forge.oci.image_content`). ``streams`` has the zlib stream of each of these contents as the
    pack has it, so that the image need not compress them again (`cluster_forge.oci.deflated`).
    """

    files: FileTree
    skeleton: FileTree
    commit: str
    streams: Mapping[bytes, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Files for a branch of a remote repository: everything at and below ``path`` (empty: its root) that is listed there as
    written by an earlier one is replaced, other files stay.

    ``base`` is the branch from which a new ``branch`` starts. ``tag`` names the commit; the tag of another content is kept.
    ``notes`` are paths of files that are not part of what the tag stands for: with others, it stays where it is.
    """

    files: FileTree = field(repr=False)
    path: str
    branch: str
    base: str
    tag: str
    message: str
    notes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the remote repository has: the commit of the branch and that of the tag, and whether they are new."""

    commit: str
    tagged: str
    is_new: bool
    is_tag_new: bool


class RemoteFiles(Protocol):
    """Reads remote Git repositories."""

    def commit(self, address: GitAddress) -> str:
        """The commit that an address means.

        Raises:
            DescriptionError: if the REF does not exist, or is both a branch and a tag.
            FetchError: if the repository cannot be read.
        """

    def files(self, address: GitAddress, commit: str) -> FileTree:
        """The files at or below an address, by their paths in the repository.

        Raises:
            DescriptionError: if there is no such path.
            FetchError: if it cannot be fetched, or is larger than a stack is.
        """


class RemoteRepositories(Protocol):
    """Pushes to remote Git repositories."""

    def publish(self, address: GitAddress, publication: Publication, *, is_trial: bool = False) -> Published:
        """Commit the files on the branch, and push branch and tag, fast-forward only; ``is_trial`` pushes nothing.

        What others push meanwhile is taken as the new parent.

        Raises:
            TagError: if the tag is there and names other files.
            EditedError: if a file is in the way that no earlier publication wrote.
            FetchError: if the repository cannot be read.
            RepositoryError: if it refuses the push.
        """


class Repositories(Protocol):
    """Writes Git repositories, and reads them."""

    def files(self, repository: FileTree, known: FileTree = NO_FILES) -> FileTree:
        """The files in the one commit of a repository that `bare` wrote.

        Contents that are those of ``known``, by path, are taken from there: most files are the same in two commits.

        Raises:
            RepositoryError: if it is damaged, or was not written by `bare`.
        """

    def bare(self, tree: FileTree, *, message: str, time: int, tag: str = "") -> Repository:
        """A bare repository whose branch ``main`` (and ``tag``, if given) is one commit of ``tree``.

        ``time`` is in seconds since 1970. The same arguments give the same bytes.

        Raises:
            RepositoryError: if ``tree`` cannot be committed, or ``tag`` is not a valid name of a tag.
        """
