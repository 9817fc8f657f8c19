"""Bare Git repositories from file trees, without the git program: one commit, one pack, the same bytes everywhere.

``git clone``, a Git server and a plain web server ("dumb HTTP") read the result directly.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final

from dulwich.object_format import SHA1
from dulwich.objects import Commit, ObjectID, Tree, sha_to_hex
from dulwich.pack import Pack, PackData, load_pack_index_file

from cluster_forge.adapters.git import pack_file, tree_objects
from cluster_forge.adapters.git.pack_file import PackEntry
from cluster_forge.foundation import build
from cluster_forge.foundation.errors import RepositoryError
from cluster_forge.foundation.file_tree import NO_FILES, FileTree
from cluster_forge.oci import deflated
from cluster_forge.ports.git import Repository
from cluster_forge.ports.storage import Cache
from cluster_forge.ports.workers import Workers

BRANCH: Final = "refs/heads/main"
_CONFIG: Final = b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
_PACKED: Final = "packed"
_INVALID_TAG: Final = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|//|(?:^|/)[./]|\.lock(?:/|$)|[./]$|^@$|^-")
"""What ``git check-ref-format`` rejects in a name."""


class BareRepositories:
    """`ports.Repositories`, built in memory; the workers hash and compress, the cache keeps compressed objects."""

    def __init__(self, workers: Workers, cache: Cache) -> None:
        self._workers = workers
        self._cache = cache

    def bare(self, tree: FileTree, *, message: str, time: int, tag: str = "") -> Repository:
        if tag and _INVALID_TAG.search(tag):
            raise RepositoryError(f"{tag!r} is not a valid tag name", fix="see `git help check-ref-format`")
        blobs = self._blobs(tree)
        top, trees = tree_objects.trees_of(tree, {path: blobs[content].id for path, content in tree.files.items()})
        commit = tree_objects.commit_of(top, message, time)
        frame = self._workers.map(pack_file.object_entry, [commit, *trees.values()])
        name = commit.id.decode()
        return Repository(
            files=_files([*frame, *blobs.values()], name, tag),
            skeleton=_files(frame, name, tag),
            commit=name,
            streams={content: entry.stream for content, entry in blobs.items()},
        )

    def files(self, repository: FileTree, known: FileTree = NO_FILES) -> FileTree:
        try:
            return _committed_files(repository, known)
        except Exception as error:  # any exception that a damaged pack causes in dulwich
            raise RepositoryError(
                f"the repository cannot be read: {error}", fix="run `cluster-forge cast` again"
            ) from error

    def _blobs(self, tree: FileTree) -> dict[bytes, PackEntry]:
        """The blob of every content, each once, in the order of the paths."""
        contents: dict[str, dict[bytes, None]] = {}
        for path, content in tree.files.items():
            contents.setdefault(path.partition("/")[0], {})[content] = None
        groups = [list(group) for group in contents.values()]
        blobs: dict[bytes, PackEntry] = {}
        for group, entries in zip(groups, self._workers.map(self._group, groups), strict=True):
            blobs.update(zip(group, entries, strict=True))
        return blobs

    def _group(self, contents: Sequence[bytes]) -> list[PackEntry]:
        """The blobs of one top-level directory, cached together: most components do not change between two runs."""
        ids = list(map(pack_file.blob_id, contents))
        key = build.key(_PACKED, f"git {deflated.METHOD}".encode(), b"".join(ids))
        cached = self._cache.get(_PACKED, key)
        if cached is not None:
            return pack_file.deserialize(cached)
        entries = list(map(pack_file.blob_entry, ids, contents))
        self._cache.put(_PACKED, key, pack_file.serialize(entries))
        return entries


def _files(entries: Sequence[PackEntry], commit: str, tag: str) -> FileTree:
    """The repository's files. ``refs`` must be files: packed refs would leave its directory empty, which trees cannot hold."""
    pack, index = pack_file.write(entries)
    name = f"pack-{pack[-20:].hex()}"
    refs = {ref: f"{commit}\n".encode() for ref in (BRANCH, f"refs/tags/{tag}") if not ref.endswith("/")}
    return FileTree(
        {
            "HEAD": f"ref: {BRANCH}\n".encode(),
            "config": _CONFIG,
            "info/refs": "".join(f"{commit}\t{ref}\n" for ref in sorted(refs)).encode(),
            "objects/info/packs": f"P {name}.pack\n\n".encode(),
            f"objects/pack/{name}.pack": pack,
            f"objects/pack/{name}.idx": index,
            **refs,
        }
    )


def _committed_files(repository: FileTree, known: FileTree) -> FileTree:
    name = next(path for path in repository if path.endswith(".pack"))
    content, index = repository[name], repository[f"{name.removesuffix('.pack')}.idx"]
    if hashlib.sha1(content[:-20], usedforsecurity=False).digest() != content[-20:]:
        raise ValueError("the pack is damaged")
    data = PackData(name, file=io.BytesIO(content), size=len(content), object_format=SHA1)
    entries = load_pack_index_file(name, io.BytesIO(index), SHA1)
    with closing(data), closing(entries), Pack.from_objects(data, entries) as pack:
        commit = pack[ObjectID(repository[BRANCH].strip())]
        assert isinstance(commit, Commit)
        return FileTree(
            {path: _content(pack, blob, known.files.get(path)) for path, blob in _blobs_below(pack, commit.tree)}
        )


def _content(pack: Pack, blob: ObjectID, known: bytes | None) -> bytes:
    """The content of a blob; ``known``, if that is the same: then the pack need not be unpacked."""
    if known is not None and sha_to_hex(pack_file.blob_id(known)) == blob:  # type: ignore[arg-type]
        return known
    return pack[blob].as_raw_string()


def _blobs_below(pack: Pack, top: ObjectID) -> Iterator[tuple[str, ObjectID]]:
    pending = [("", top)]
    while pending:
        prefix, identity = pending.pop()
        tree = pack[identity]
        assert isinstance(tree, Tree)
        for entry in tree.items():
            path = prefix + entry.path.decode("utf-8", "surrogateescape")
            if entry.mode == tree_objects.DIRECTORY_MODE:
                pending.append((f"{path}/", entry.sha))
            else:
                yield path, entry.sha
