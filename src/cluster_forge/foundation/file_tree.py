"""The files of a directory as one immutable value."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cluster_forge.foundation.digest import Digest


@dataclass(frozen=True, slots=True)
class FileTree:
    """Files by path (relative, parts separated by ``/``), sorted by path.

    ``executable`` has the paths that are executable. There are no other modes, no links and no empty directories.

    Raises:
        ValueError: for a path that is empty, absolute, or has an empty, ``.`` or ``..`` part.
    """

    files: Mapping[str, bytes]
    executable: frozenset[str] = field(default=frozenset())

    def __post_init__(self) -> None:
        for path in self.files:
            if not path or any(part in ("", ".", "..") for part in path.split("/")):
                raise ValueError(f"not a relative path: {path!r}")
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, path: str) -> bytes:
        return self.files[path]

    @property
    def size(self) -> int:
        """The total size in bytes."""
        return sum(map(len, self.files.values()))

    @property
    def digests(self) -> TreeDigests:
        """The digest of every file."""
        return TreeDigests({path: Digest.of(content) for path, content in self.files.items()}, self.executable)

    @property
    def digest(self) -> Digest:
        """The digest of all paths, modes and contents."""
        return self.digests.digest

    def under(self, folder: str) -> FileTree:
        """The tree with ``folder`` before every path."""
        return FileTree(
            {f"{folder}/{path}": content for path, content in self.files.items()},
            frozenset(f"{folder}/{path}" for path in self.executable),
        )


NO_FILES: Final = FileTree({})


@dataclass(frozen=True, slots=True)
class TreeDigests:
    """What there is to know of a `FileTree` without its contents: the digest of every file, sorted by path."""

    files: Mapping[str, Digest]
    executable: frozenset[str] = field(default=frozenset())

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    @property
    def digest(self) -> Digest:
        """The digest of all paths, modes and contents."""
        state = hashlib.sha256()
        for path, digest in self.files.items():
            mode = "x" if path in self.executable else "-"
            state.update(f"{mode} {digest.hex} {path}\n".encode())
        return Digest(state.hexdigest())


def join(*trees: FileTree) -> FileTree:
    """The union of all trees.

    Raises:
        ValueError: if two of them have the same path.
    """
    files: dict[str, bytes] = {}
    for tree in trees:
        for path, content in tree.files.items():
            if path in files:
                raise ValueError(f"duplicate path: {path!r}")
            files[path] = content
    return FileTree(files, frozenset().union(*(tree.executable for tree in trees)))
