"""A file tree as one reproducible layer (OCI image spec, ``layer.md``): the same tree has the same digest everywhere.

The compressors are pinned libraries, not the zlib that the interpreter is linked with: libdeflate (package ``deflate``)
and zstd (package ``zstandard``) give the same bytes on every processor, for one version of them.

A gzip layer is a series of gzip members, one for each folder two levels deep (a component, or a few small ones) and at
most `MEMBER` bytes of the tar archive. So workers can compress them in parallel, and an unchanged component is compressed
once. By RFC 1952 (2.2) such a series is one stream: gzip, zlib's ``gzread``, Go's ``compress/gzip`` and klauspost's
(containerd, skopeo, Argo CD, Flux) read it to its end; eStargz layers are built in the same way. A zstd layer is one
frame with a window of 128 MiB, the longest that decoders accept by default.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Protocol, TypeVar

import deflate
import zstandard

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import tar_header
from cluster_forge.oci.compression import Compression
from cluster_forge.oci.tar_header import BLOCK

Item = TypeVar("Item")
Result = TypeVar("Result")

MEMBER = 4 * 1024 * 1024
_SMALL = 64 * 1024
_GZIP_LEVEL = 7
_ZSTD_LEVEL = 9
_ZSTD_WINDOW = 27
"""The logarithm of the window's size: 128 MiB, ``ZSTD_WINDOWLOG_LIMIT_DEFAULT``."""


class Memo(Protocol):
    """Returns ``make(content)``, possibly from a cache; ``how`` names ``make`` and its version."""

    def __call__(self, how: str, content: bytes, make: Callable[[bytes], bytes], /) -> bytes: ...


def uncached(_how: str, content: bytes, make: Callable[[bytes], bytes], /) -> bytes:
    """`Memo` without a cache."""
    return make(content)


class Run(Protocol):
    """Calls a function for many items, possibly in parallel: ``Workers.map``, or `serial`."""

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> list[Result]: ...


def serial(function: Callable[[Item], Result], items: Iterable[Item], /) -> list[Result]:
    """One call after the other."""
    return [function(item) for item in items]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A compressed layer: its blob's ``digest``, and ``diff_id``, that of the tar archive inside it."""

    content: bytes = field(repr=False)
    digest: Digest
    diff_id: Digest
    media_type: str

    @property
    def size(self) -> int:
        return len(self.content)


def build(
    tree: FileTree, compression: Compression, *, mtime: int = 0, run: Run = serial, keep: Memo = uncached
) -> Layer:
    """Pack ``tree``; ``mtime`` (seconds since 1970) is every entry's. ``run`` and ``keep`` do not change the bytes.

    Raises:
        ImageError: if a path is both a file and a folder, or not UTF-8.
    """
    segments = _archive(tree, mtime)
    make = _gzip if compression is Compression.GZIP else _zstd
    if compression is Compression.GZIP:
        how = f"gzip {deflate_version()} {_GZIP_LEVEL}"
        parts = [segment[at : at + MEMBER] for segment in segments for at in range(0, len(segment), MEMBER)]
    else:
        how = f"zstd {_ZSTD_LEVEL} {_ZSTD_WINDOW}"
        parts = [b"".join(segments)]
    diff_id, *packed = run(_call, [partial(_sha256, segments), *(partial(keep, how, part, make) for part in parts)])
    content = b"".join(packed)
    return Layer(
        content=content,
        digest=Digest.of(content),
        diff_id=Digest(diff_id.hex()),
        media_type=compression.media_type,
    )


def _archive(tree: FileTree, mtime: int) -> list[bytes]:
    """A POSIX archive, owned by root: every folder before its content; pax headers only for names that ustar cannot hold.

    A segment has one folder two levels deep, or several small ones, which compress better together.
    """
    folders = {path[:end] for path in tree for end, char in enumerate(path) if char == "/"}
    for path in tree:
        _check(path, folders)
    segments: list[bytes] = []
    pieces: list[bytes] = []
    for _, paths in groupby(sorted(folders.union(tree)), partial(_component, folders=folders)):
        pieces += (_entry(path, tree, folders, mtime) for path in paths)
        if sum(map(len, pieces)) >= _SMALL:
            segments.append(b"".join(pieces))
            pieces = []
    return [*segments, b"".join((*pieces, bytes(2 * BLOCK)))]


def _component(path: str, folders: set[str]) -> list[str]:
    """The first two folders of an entry's path."""
    parts = path.split("/")
    return (parts if path in folders else parts[:-1])[:2]


def _entry(path: str, tree: FileTree, folders: set[str], mtime: int) -> bytes:
    if path in folders:
        return tar_header.of_folder(path, mtime)
    content = tree[path]
    header = tar_header.of_file(path, len(content), mtime, executable=path in tree.executable)
    return b"".join((header, content, bytes(-len(content) % BLOCK)))


def _check(path: str, folders: set[str]) -> None:
    if path in folders:
        raise ImageError("is both a file and a folder", where=path)
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise ImageError("a file's name is not UTF-8", where=ascii(path), fix="rename the file") from error


def deflate_version() -> str:
    """The version of the compressor, on which the bytes depend."""
    return str(deflate.__version__)


def _gzip(part: bytes) -> bytes:
    return bytes(deflate.gzip_compress(part, _GZIP_LEVEL))


def _zstd(archive: bytes) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _ZSTD_LEVEL, window_log=_ZSTD_WINDOW, enable_ldm=True, threads=0
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(archive)


def _sha256(segments: Iterable[bytes]) -> bytes:
    state = hashlib.sha256()
    for segment in segments:
        state.update(segment)
    return state.digest()


def _call(task: Callable[[], bytes]) -> bytes:
    return task()
