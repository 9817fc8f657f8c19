"""Bare Git repositories from file trees, without the git program: one commit, one pack, the same bytes everywhere.

Trees, commit and index are dulwich's. The pack is written here, because its zlib streams must not depend on the
interpreter's zlib (`cluster_forge.oci.layer` says why) and are compressed by several threads. It has no deltas: see ADR
0010. ``git clone``, a Git server and a plain web server ("dumb HTTP") read the result directly.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import deflate
from dulwich.object_format import SHA1
from dulwich.objects import Commit, ObjectID, ShaFile, Tree, sha_to_hex
from dulwich.pack import Pack, PackData, load_pack_index_file, write_pack_index_v2

from cluster_forge.foundation import build
from cluster_forge.foundation.errors import RepositoryError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import layer
from cluster_forge.ports.git import Repository
from cluster_forge.ports.storage import Cache
from cluster_forge.ports.workers import Workers

BRANCH = "refs/heads/main"
IDENTITY = b"Cluster-Forge <cluster-forge@localhost>"
_CONFIG = b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
_HEAD = struct.Struct("<20sIQ")
"""Before each cached object: its id, the CRC-32 of its bytes, and their length."""
_LEVEL = 7
_FILE, _PROGRAM, _FOLDER = 0o100644, 0o100755, 0o40000
_BLOB = 3
"""A blob's type in a pack (gitformat-pack)."""
_INVALID_TAG = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|//|(?:^|/)[./]|\.lock(?:/|$)|[./]$|^@$|^-")
"""What ``git check-ref-format`` rejects in a name."""
_INVALID_NAME = re.compile(r"(?:\.git|git~1)[ .]*(?:[:\\].*)?|.*\x00.*", re.IGNORECASE | re.DOTALL)
"""Names that ``git fsck --strict`` rejects, since some file systems treat them as ``.git``; and NUL, which trees cannot hold."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An object in a pack: its id, header and zlib stream together, and the CRC-32 of those."""

    id: bytes
    packed: bytes
    crc: int


@dataclass(slots=True)
class _Folder:
    """A directory of the tree: the paths of its files and its directories, by name."""

    files: dict[str, str] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)


class BareRepositories:
    """`ports.Repositories`, built in memory; the workers hash and compress, the cache keeps compressed objects."""

    def __init__(self, workers: Workers, cache: Cache) -> None:
        self._workers = workers
        self._cache = cache

    def bare(self, tree: FileTree, *, message: str, time: int, tag: str = "") -> Repository:
        if tag and _INVALID_TAG.search(tag):
            raise RepositoryError(f"{tag!r} is not a valid tag name", fix="see `git help check-ref-format`")
        root = _folders(tree)
        folders: dict[str, dict[bytes, None]] = {}
        for path, content in tree.files.items():
            folders.setdefault(path.partition("/")[0], {})[content] = None
        ids: dict[bytes, _Entry] = {}
        for contents, entries in zip(
            folders.values(), self._workers.map(self._blobs, map(list, folders.values())), strict=True
        ):
            ids.update(zip(contents, entries, strict=True))
        blobs = list(ids.values())
        trees: dict[bytes, ShaFile] = {}
        top = _add_trees(root, {path: ids[content].id for path, content in tree.files.items()}, tree.executable, trees)
        commit = _commit(top, message, time)
        frame = self._workers.map(_framed, [commit, *trees.values()])
        name = commit.id.decode()
        return Repository(
            files=_files([*frame, *blobs], name, tag),
            skeleton=_files(frame, name, tag),
            commit=name,
        )

    def _blobs(self, contents: Sequence[bytes]) -> list[_Entry]:
        """The blobs of one directory's files, cached together: most components do not change between two runs."""
        names = [_name(content) for content in contents]
        key = build.key("packed", f"git {layer.deflate_version()}".encode(), b"".join(names))
        cached = self._cache.get("packed", key)
        if cached is not None:
            return _unpacked(cached)
        entries = [_entry(name, _BLOB, content) for name, content in zip(names, contents, strict=True)]
        self._cache.put(
            "packed",
            key,
            b"".join(_HEAD.pack(entry.id, entry.crc, len(entry.packed)) + entry.packed for entry in entries),
        )
        return entries

    def files(self, repository: FileTree) -> FileTree:
        try:
            return _read(repository)
        except Exception as error:  # any exception that a damaged pack causes in dulwich
            raise RepositoryError(
                f"the repository cannot be read: {error}", fix="run `cluster-forge cast` again"
            ) from error


def _read(repository: FileTree) -> FileTree:
    name = next(path for path in repository if path.endswith(".pack"))
    content, index = repository[name], repository[f"{name.removesuffix('.pack')}.idx"]
    if hashlib.sha1(content[:-20], usedforsecurity=False).digest() != content[-20:]:
        raise ValueError("the pack is damaged")
    data = PackData(name, file=io.BytesIO(content), size=len(content), object_format=SHA1)
    entries = load_pack_index_file(name, io.BytesIO(index), SHA1)
    with closing(data), closing(entries), Pack.from_objects(data, entries) as pack:
        commit = pack[ObjectID(repository[BRANCH].strip())]
        assert isinstance(commit, Commit)
        return FileTree(dict(_files_below(pack, commit.tree)))


def _files_below(pack: Pack, top: ObjectID) -> Iterator[tuple[str, bytes]]:
    pending = [("", top)]
    while pending:
        start, tree = pending.pop()
        folder = pack[tree]
        assert isinstance(folder, Tree)
        for entry in folder.items():
            path = start + entry.path.decode("utf-8", "surrogateescape")
            if entry.mode == _FOLDER:
                pending.append((f"{path}/", entry.sha))
            else:
                yield path, pack[entry.sha].as_raw_string()


def _folders(tree: FileTree) -> _Folder:
    root = _Folder()
    for path in tree:
        *folders, name = path.split("/")
        for part in (*folders, name):
            if _INVALID_NAME.fullmatch(part):
                raise RepositoryError(
                    f"Git does not allow the name {part!r}", where=path, fix="rename the file or directory"
                )
        here = root
        for part in folders:
            if part in here.files:
                raise RepositoryError("both a file and a directory", where=here.files[part], fix="rename one of them")
            here = here.folders.setdefault(part, _Folder())
        here.files[name] = path
    return root


def _add_trees(
    folder: _Folder, blobs: Mapping[str, bytes], executable: frozenset[str], trees: dict[bytes, ShaFile]
) -> ObjectID:
    """Add the tree objects of a directory and of those below it to ``trees``; the id of its own."""
    tree = Tree()
    for name, inner in folder.folders.items():
        tree.add(_encoded(name), _FOLDER, _add_trees(inner, blobs, executable, trees))
    for name, path in folder.files.items():
        tree.add(_encoded(name), _PROGRAM if path in executable else _FILE, sha_to_hex(blobs[path]))  # type: ignore[arg-type]
    trees[tree.id] = tree
    return tree.id


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _commit(tree: ObjectID, message: str, time: int) -> ShaFile:
    commit = Commit()
    commit.tree = tree
    commit.author = commit.committer = IDENTITY
    commit.author_time = commit.commit_time = time
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = message.rstrip("\n").encode() + b"\n"
    return commit


def _name(content: bytes) -> bytes:
    """A blob's id."""
    state = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    state.update(content)
    return state.digest()


def _unpacked(content: bytes) -> list[_Entry]:
    entries, start = [], 0
    while start < len(content):
        name, crc, length = _HEAD.unpack_from(content, start)
        start += _HEAD.size
        entries.append(_Entry(name, content[start : start + length], crc))
        start += length
    return entries


def _framed(item: ShaFile) -> _Entry:
    return _entry(bytes.fromhex(item.id.decode()), item.type_num, item.as_raw_string())


def _entry(name: bytes, kind: int, content: bytes) -> _Entry:
    packed = _header(kind, len(content)) + deflate.zlib_compress(content, _LEVEL)
    return _Entry(name, packed, zlib.crc32(packed))


def _header(kind: int, size: int) -> bytes:
    """Type and size: four bits of the size, then seven bits per byte, lowest first (gitformat-pack)."""
    header = bytearray([kind << 4 | size & 0xF])
    size >>= 4
    while size:
        header[-1] |= 0x80
        header.append(size & 0x7F)
        size >>= 7
    return bytes(header)


def _files(entries: Sequence[_Entry], commit: str, tag: str) -> FileTree:
    """The repository's files. ``refs`` must be files: packed refs would leave its directory empty, which trees cannot hold."""
    pack, index = _pack(entries)
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


def _pack(entries: Iterable[_Entry]) -> tuple[bytes, bytes]:
    """The pack and its index, both in version 2."""
    objects = list(entries)
    pieces = [b"PACK" + struct.pack(">II", 2, len(objects)), *(entry.packed for entry in objects)]
    offset = len(pieces[0])
    places: list[tuple[bytes, int, int | None]] = []
    for entry in objects:
        places.append((entry.id, offset, entry.crc))
        offset += len(entry.packed)
    body = b"".join(pieces)
    checksum = hashlib.sha1(body, usedforsecurity=False).digest()
    index = io.BytesIO()
    write_pack_index_v2(index, sorted(places), checksum)
    return body + checksum, index.getvalue()
