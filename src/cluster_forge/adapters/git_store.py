"""Bare Git repositories made from file trees, without the git program: one commit, one pack, the same bytes anywhere.

Objects and index are dulwich's; the pack is written here, because its zlib streams must not depend on the zlib of the
interpreter (`cluster_forge.oci.layer` says why) and are made by many threads at once. Nothing is stored as a delta: see
ADR 0010. Smart servers, ``git clone`` of a folder and dumb HTTP servers all read the result as it is.
"""

from __future__ import annotations

import hashlib
import io
import re
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cluster_forge.foundation.errors import RepositoryError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.ports import Repository, Workers

if TYPE_CHECKING:
    from dulwich.objects import ObjectID, ShaFile

BRANCH = "refs/heads/main"
IDENTITY = b"Cluster-Forge <cluster-forge@localhost>"
_LEVEL = 7
_CONFIG = b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
_REFUSED = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|//|(?:^|/)[./]|\.lock(?:/|$)|[./]$|^@$|^-")
"""What ``git check-ref-format`` refuses in a name."""
_RESERVED = re.compile(r"\.git[ .]*|git~1")
"""The parts of a path that ``git fsck --strict`` refuses: what some file systems take for ``.git``."""

Folder = Mapping[str, "Folder | str"]
"""A folder's entries: another folder, or the path of a file in the tree."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An object as it stands in a pack: its binary id, header and zlib stream in one, and that one's CRC-32."""

    id: bytes
    packed: bytes
    crc: int


class BareRepositories:
    """`ports.Repositories`, built in memory; hashing and compression are the workers'."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def bare(self, tree: FileTree, *, message: str, time: int, tag: str = "") -> Repository:
        if tag and _REFUSED.search(tag):
            raise RepositoryError(f"{tag!r} is no name for a tag", fix="see `git help check-ref-format`")
        blobs = self._workers.map(_blob_entry, dict.fromkeys(tree.files.values()))
        ids = dict(zip(dict.fromkeys(tree.files.values()), blobs, strict=True))
        trees: dict[bytes, ShaFile] = {}
        root = _add_tree(_nested(tree), partial(_blob_of, tree, ids), tree.executable, trees)
        commit = _commit(root, message, time)
        frame = self._workers.map(_object_entry, [commit, *trees.values()])
        name = commit.id.decode()
        return Repository(
            files=_files([*frame, *blobs], name, tag),
            skeleton=_files(frame, name, tag),
            commit=name,
        )


def _blob_of(tree: FileTree, ids: Mapping[bytes, _Entry], path: str) -> bytes:
    return ids[tree[path]].id


def _nested(tree: FileTree) -> Folder:
    root: dict[str, Folder | str] = {}
    for path in tree:
        *folders, name = path.split("/")
        here = root
        for part in (*folders, name):
            if _RESERVED.fullmatch(part.lower()):
                raise RepositoryError(f"Git refuses files called {part!r}", where=path)
        for folder in folders:
            inner = here.setdefault(folder, {})
            if not isinstance(inner, dict):
                raise RepositoryError(f"{inner!r} is a file and a folder", where=path)
            here = inner
        here[name] = path
    return root
