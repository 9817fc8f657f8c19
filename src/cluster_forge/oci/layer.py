"""A file tree as one reproducible layer (OCI image spec, ``layer.md``): the same tree has the same digest everywhere.

The compressors are pinned libraries: libdeflate (`deflated`) and zstd (package ``zstandard``) give the same bytes on
every processor, for one version of them.

A gzip layer is a series of gzip members: one for each file of `LARGE` bytes or more, and one for what is between two of
them, cut at folders two levels deep (a component, or a few small ones) and after at most `MEMBER` bytes. So workers can
compress them in parallel, an unchanged component is compressed once, and a large file is not compressed again where
another archive has done so (`reusing`). By RFC 1952 (2.2) such a series is one stream: gzip, zlib's ``gzread``, Go's
``compress/gzip`` and klauspost's (containerd, skopeo, Argo CD, Flux) read it to its end; eStargz layers are built in the
same way. A zstd layer is one frame with a window of 128 MiB, the longest that decoders accept by default.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Final, Protocol, TypeVar

import zstandard

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import deflated, tar_header
from cluster_forge.oci.compression import Compression
from cluster_forge.oci.tar_header import BLOCK

Item = TypeVar("Item")
Result = TypeVar("Result")

LARGE = 64 * 1024
"""Bytes from which a file is a member of its own, and a member worth keeping."""
MEMBER = 4 * 1024 * 1024
_ZSTD_LEVEL = 9
_ZSTD_WINDOW = 27
"""The logarithm of the window's size: 128 MiB, ``ZSTD_WINDOWLOG_LIMIT_DEFAULT``."""


class Memo(Protocol):
    """Returns ``make(content)``, possibly from a cache; ``how`` names ``make`` and its version."""

    def __call__(self, how: str, content: bytes, make: Callable[[bytes], bytes], /) -> bytes: ...


def uncached(_how: str, content: bytes, make: Callable[[bytes], bytes], /) -> bytes:
    """`Memo` without a cache."""
    return make(content)


def reusing(streams: Mapping[bytes, bytes], keep: Memo) -> Memo:
    """``keep``, for contents some of which are compressed already: ``streams`` has the zlib stream of a content."""

    def reuse(how: str, content: bytes, make: Callable[[bytes], bytes], /) -> bytes:
        stream = streams.get(content) if make is deflated.gzip_member else None
        return keep(how, content, make) if stream is None else deflated.gzip_member_of(stream, content)

    return reuse


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
    packed_tree = list(archive(tree, mtime))
    how, make = _METHODS[compression]
    parts = packed_tree if compression is Compression.GZIP else [b"".join(packed_tree)]
    compress = (partial(keep if len(part) >= LARGE else uncached, how, part, make) for part in parts)
    diff_id, *packed = run(_call, [partial(_sha256, packed_tree), *compress])
    content = b"".join(packed)
    return Layer(
        content=content,
        digest=Digest.of(content),
        diff_id=Digest(diff_id.hex()),
        media_type=compression.media_type,
    )


def archive(tree: FileTree, mtime: int) -> Iterator[bytes]:
    """A POSIX archive, owned by root: every folder before its content; pax headers only for names that ustar cannot hold.

    It comes in parts: the content of a large file, or what is between two of them, of one folder two levels deep or of
    several small ones, which compress better together.
    """
    folders = {path[:end] for path in tree for end, char in enumerate(path) if char == "/"}
    for path in tree:
        _check(path, folders)
    between: list[bytes] = []
    for _, paths in groupby(sorted(folders.union(tree)), partial(_component, folders=folders)):
        for path in paths:
            header, content, padding = _entry(path, tree, folders, mtime)
            if len(content) < LARGE:
                between += (header, content, padding)
            else:
                yield from _members([*between, header])
                yield content
                between = [padding]
        if sum(map(len, between)) >= LARGE:
            yield from _members(between)
            between = []
    yield from _members([*between, bytes(2 * BLOCK)])


def _members(pieces: list[bytes]) -> Iterator[bytes]:
    joined = b"".join(pieces)
    return (joined[at : at + MEMBER] for at in range(0, len(joined), MEMBER))


def _component(path: str, folders: set[str]) -> list[str]:
    """The first two folders of an entry's path."""
    parts = path.split("/")
    return (parts if path in folders else parts[:-1])[:2]


def _entry(path: str, tree: FileTree, folders: set[str], mtime: int) -> tuple[bytes, bytes, bytes]:
    """Header, content and padding."""
    if path in folders:
        return tar_header.of_folder(path, mtime), b"", b""
    content = tree[path]
    header = tar_header.of_file(path, len(content), mtime, executable=path in tree.executable)
    return header, content, bytes(-len(content) % BLOCK)


def _check(path: str, folders: set[str]) -> None:
    if path in folders:
        raise ImageError("is both a file and a folder", where=path)
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise ImageError("a file's name is not UTF-8", where=ascii(path), fix="rename the file") from error


def _zstd(archive: bytes) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _ZSTD_LEVEL, window_log=_ZSTD_WINDOW, enable_ldm=True, threads=0
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(archive)


_METHODS: Final[Mapping[Compression, tuple[str, Callable[[bytes], bytes]]]] = {
    Compression.GZIP: (f"gzip {deflated.METHOD}", deflated.gzip_member),
    Compression.ZSTD: (f"zstd {zstandard.__version__} {_ZSTD_LEVEL} {_ZSTD_WINDOW}", _zstd),
}
"""For each compression the name of the method with its version, and the method."""


def method(compression: Compression) -> str:
    """Names what the bytes of a layer depend on, beside its content."""
    return _METHODS[compression][0]


def _sha256(parts: Iterable[bytes]) -> bytes:
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    return state.digest()


def _call(task: Callable[[], bytes]) -> bytes:
    return task()
