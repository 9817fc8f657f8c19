"""The tree objects and the commit of a file tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dulwich.objects import Commit, ObjectID, ShaFile, Tree, sha_to_hex

from cluster_forge.foundation.errors import RepositoryError
from cluster_forge.foundation.file_tree import FileTree

IDENTITY: Final = b"Cluster-Forge <cluster-forge@localhost>"
DIRECTORY_MODE: Final = 0o40000
_FILE_MODE: Final = 0o100644
_EXECUTABLE_MODE: Final = 0o100755
_INVALID_NAME: Final = re.compile(r"(?:\.git|git~1)[ .]*(?:[:\\].*)?|.*\x00.*", re.IGNORECASE | re.DOTALL)
"""Names that ``git fsck --strict`` rejects, since some file systems treat them as ``.git``; and NUL, which trees cannot hold."""


@dataclass(slots=True)
class _Directory:
    """A directory of the tree: the paths of its files and its directories, by name."""

    files: dict[str, str] = field(default_factory=dict)
    directories: dict[str, _Directory] = field(default_factory=dict)


def trees_of(tree: FileTree, blobs: Mapping[str, bytes]) -> tuple[ObjectID, dict[bytes, ShaFile]]:
    """The id of the top tree, and all trees by their ids. ``blobs`` has the id of each file's blob by its path.

    Raises:
        RepositoryError: for a name that Git does not allow, or a path that is both file and directory.
    """
    trees: dict[bytes, ShaFile] = {}

    def add(directory: _Directory) -> ObjectID:
        item = Tree()
        for name, inner in directory.directories.items():
            item.add(_encoded(name), DIRECTORY_MODE, add(inner))
        for name, path in directory.files.items():
            mode = _EXECUTABLE_MODE if path in tree.executable else _FILE_MODE
            item.add(_encoded(name), mode, sha_to_hex(blobs[path]))  # type: ignore[arg-type]
        trees[item.id] = item
        return item.id

    return add(_directories(tree)), trees


def commit_of(tree: ObjectID, message: str, time: int) -> Commit:
    """A commit without parents; ``time`` is in seconds since 1970."""
    commit = Commit()
    commit.tree = tree
    commit.author = commit.committer = IDENTITY
    commit.author_time = commit.commit_time = time
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = message.rstrip("\n").encode() + b"\n"
    return commit


def _directories(tree: FileTree) -> _Directory:
    root = _Directory()
    for path in tree:
        *parents, name = path.split("/")
        for part in (*parents, name):
            if _INVALID_NAME.fullmatch(part):
                raise RepositoryError(
                    f"Git does not allow the name {part!r}", where=path, fix="rename the file or directory"
                )
        here = root
        for part in parents:
            if part in here.files:
                raise RepositoryError("both a file and a directory", where=here.files[part], fix="rename one of them")
            here = here.directories.setdefault(part, _Directory())
        here.files[name] = path
    return root


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
