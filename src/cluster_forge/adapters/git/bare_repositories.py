"""Bare Git repositories made from file trees, without the git program: one commit, one pack, the same bytes anywhere.

Trees, commit and index are dulwich's; the pack is written here, because its zlib streams must not depend on the zlib of
the interpreter (`cluster_forge.oci.layer` says why) and are made by several threads at once. Nothing is stored as a
delta: see ADR 0010. ``git clone``, a Git server and a plain web server ("dumb HTTP") read the result as it is.
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
from typing import TYPE_CHECKING

from cluster_forge.foundation import build
from cluster_forge.foundation.errors import RepositoryError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import layer
from cluster_forge.ports.git import Repository
from cluster_forge.ports.storage import Cache
from cluster_forge.ports.workers import Workers

if TYPE_CHECKING:
    from dulwich.objects import ObjectID, ShaFile
    from dulwich.pack import Pack

BRANCH = "refs/heads/main"
IDENTITY = b"Cluster-Forge <cluster-forge@localhost>"
_CONFIG = b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
_HEAD = struct.Struct("<20sIQ")
"""Before each object that is kept: its id, the CRC-32 of what follows, and its length."""
_LEVEL = 7
_FILE, _PROGRAM, _FOLDER = 0o100644, 0o100755, 0o40000
_BLOB = 3
"""A blob's type in a pack (gitformat-pack)."""
_NO_TAG = re.compile(r"[\x00-\x20~^:?*\[\\\x7f]|\.\.|@\{|//|(?:^|/)[./]|\.lock(?:/|$)|[./]$|^@$|^-")
"""What ``git check-ref-format`` refuses in a name."""
_NO_NAME = re.compile(r"(?:\.git|git~1)[ .]*(?:[:\\].*)?|.*\x00.*", re.IGNORECASE | re.DOTALL)
"""Names that ``git fsck --strict`` refuses, since some file systems take them for ``.git``; and what no tree can hold."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An object as it stands in a pack: its id, then header and zlib stream in one, and the CRC-32 of that."""

    id: bytes
    packed: bytes
    crc: int


@dataclass(slots=True)
class _Folder:
    """A folder while the tree is read: its files' paths and its folders, by name."""

    files: dict[str, str] = field(default_factory=dict)
    folders: dict[str, _Folder] = field(default_factory=dict)


class BareRepositories:
    """`ports.Repositories`, built in memory; the workers hash and compress, and the cache keeps what was compressed."""

    def __init__(self, workers: Workers, cache: Cache) -> None:
        self._workers = workers
        self._cache = cache

    def bare(self, tree: FileTree, *, message: str, time: int, tag: str = "") -> Repository:
        if tag and _NO_TAG.search(tag):
            raise RepositoryError(f"{tag!r} is no name for a tag", fix="see `git help check-ref-format`")
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
        """The blobs of one folder's files, kept together: a component is mostly the same as it was before."""
        names = [_name(content) for content in contents]
        key = build.key("packed", f"git {layer.deflate_version()}".encode(), b"".join(names))
        kept = self._cache.get("packed", key)
        if kept is not None:
            return _unpacked(kept)
        entries = [_entry(name, _BLOB, content) for name, content in zip(names, contents, strict=True)]
        self._cache.put("packed", key, b"".join(_HEAD.pack(e.id, e.crc, len(e.packed)) + e.packed for e in entries))
        return entries

    def files(self, repository: FileTree) -> FileTree:
        try:
            return _read(repository)
        except Exception as error:  # whatever dulwich makes of a damaged pack
            raise RepositoryError(f"the repository cannot be read: {error}", fix="cast again") from error


def _read(repository: FileTree) -> FileTree:
    from dulwich.object_format import SHA1  # noqa: PLC0415 - see above
    from dulwich.objects import Commit, ObjectID  # noqa: PLC0415
    from dulwich.pack import Pack, PackData, load_pack_index_file  # noqa: PLC0415

    name = next(path for path in repository if path.endswith(".pack"))
    content, index = repository[name], repository[f"{name.removesuffix('.pack')}.idx"]
    if hashlib.sha1(content[:-20], usedforsecurity=False).digest() != content[-20:]:
        raise ValueError("the pack is damaged")
    data = PackData(name, file=io.BytesIO(content), size=len(content), object_format=SHA1)
    found = load_pack_index_file(name, io.BytesIO(index), SHA1)
    with closing(data), closing(found), Pack.from_objects(data, found) as pack:
        commit = pack[ObjectID(repository[BRANCH].strip())]
        assert isinstance(commit, Commit)
        return FileTree(dict(_files_below(pack, commit.tree)))


def _files_below(pack: Pack, top: ObjectID) -> Iterator[tuple[str, bytes]]:
    from dulwich.objects import Tree  # noqa: PLC0415 - see above

    todo = [("", top)]
    while todo:
        start, tree = todo.pop()
        folder = pack[tree]
        assert isinstance(folder, Tree)
        for entry in folder.items():
            path = start + entry.path.decode("utf-8", "surrogateescape")
            if entry.mode == _FOLDER:
                todo.append((f"{path}/", entry.sha))
            else:
                yield path, pack[entry.sha].as_raw_string()


def _folders(tree: FileTree) -> _Folder:
    root = _Folder()
    for path in tree:
        *folders, name = path.split("/")
        for part in (*folders, name):
            if _NO_NAME.fullmatch(part):
                raise RepositoryError(f"Git takes no file or folder called {part!r}", where=path, fix="rename it")
        here = root
        for part in folders:
            if part in here.files:
                raise RepositoryError("is a file and a folder", where=here.files[part])
            here = here.folders.setdefault(part, _Folder())
        here.files[name] = path
    return root


def _add_trees(
    folder: _Folder, blobs: Mapping[str, bytes], executable: frozenset[str], trees: dict[bytes, ShaFile]
) -> ObjectID:
    """Put the folder's tree object, and those below it, into ``trees``; its id."""
    from dulwich.objects import Tree, sha_to_hex  # noqa: PLC0415 - 45 ms, and only casting needs it

    made = Tree()
    for name, inner in folder.folders.items():
        made.add(_encoded(name), _FOLDER, _add_trees(inner, blobs, executable, trees))
    for name, path in folder.files.items():
        made.add(_encoded(name), _PROGRAM if path in executable else _FILE, sha_to_hex(blobs[path]))  # type: ignore[arg-type]
    trees[made.id] = made
    return made.id


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _commit(tree: ObjectID, message: str, time: int) -> ShaFile:
    from dulwich.objects import Commit  # noqa: PLC0415 - see above

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


def _unpacked(kept: bytes) -> list[_Entry]:
    entries, start = [], 0
    while start < len(kept):
        name, crc, length = _HEAD.unpack_from(kept, start)
        start += _HEAD.size
        entries.append(_Entry(name, kept[start : start + length], crc))
        start += length
    return entries


def _framed(made: ShaFile) -> _Entry:
    return _entry(bytes.fromhex(made.id.decode()), made.type_num, made.as_raw_string())


def _entry(name: bytes, kind: int, content: bytes) -> _Entry:
    import deflate  # noqa: PLC0415 - only casting needs it

    packed = _header(kind, len(content)) + deflate.zlib_compress(content, _LEVEL)
    return _Entry(name, packed, zlib.crc32(packed))


def _header(kind: int, size: int) -> bytes:
    """Type and size: four bits of it, then seven to a byte, lowest first (gitformat-pack)."""
    header = bytearray([kind << 4 | size & 0xF])
    size >>= 4
    while size:
        header[-1] |= 0x80
        header.append(size & 0x7F)
        size >>= 7
    return bytes(header)


def _files(entries: Sequence[_Entry], commit: str, tag: str) -> FileTree:
    """The repository's folder. ``refs`` must lie in it as files: a packed one alone would leave the folder empty."""
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
    """The pack and its index, both of version 2."""
    from dulwich.pack import write_pack_index_v2  # noqa: PLC0415 - 30 ms more

    found = list(entries)
    pieces = [b"PACK" + struct.pack(">II", 2, len(found)), *(each.packed for each in found)]
    offset = len(pieces[0])
    places: list[tuple[bytes, int, int | None]] = []
    for each in found:
        places.append((each.id, offset, each.crc))
        offset += len(each.packed)
    body = b"".join(pieces)
    checksum = hashlib.sha1(body, usedforsecurity=False).digest()
    index = io.BytesIO()
    write_pack_index_v2(index, sorted(places), checksum)
    return body + checksum, index.getvalue()
