"""A layer contains its tree, and the same tree always gives the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import deflated, image_content, layer
from cluster_forge.oci.compression import Compression
from cluster_forge.oci.layer import Layer

TREE = FileTree({"b/deep/file": b"two", "a": b"one", "b/run.sh": b"#!/bin/sh\n", "b-c": b""}, frozenset({"b/run.sh"}))
names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
paths = st.lists(names.filter(lambda name: name not in (".", "..")), min_size=1, max_size=6).map("/".join)


def unpacked(packed: Layer) -> bytes:
    if packed.media_type.endswith("+gzip"):
        return gzip.decompress(packed.content)
    return zstandard.ZstdDecompressor().decompress(packed.content)


def entries(archive: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.getmembers()


@pytest.mark.parametrize("compression", Compression)
def test_a_layer_has_the_digests_of_its_blob_and_of_its_archive(compression: Compression) -> None:
    packed = layer.build(TREE, compression)
    assert packed.digest.hex == hashlib.sha256(packed.content).hexdigest()
    assert packed.diff_id.hex == hashlib.sha256(unpacked(packed)).hexdigest()
    assert packed.size == len(packed.content)
    assert packed.media_type == f"application/vnd.oci.image.layer.v1.tar+{compression}"


def test_folders_come_before_their_content_and_root_owns_everything() -> None:
    members = entries(unpacked(layer.build(TREE, Compression.GZIP, mtime=1700000000)))
    assert [entry.name for entry in members] == ["a", "b", "b-c", "b/deep", "b/deep/file", "b/run.sh"]
    assert [entry.mode for entry in members] == [0o644, 0o755, 0o644, 0o755, 0o644, 0o755]
    assert {(entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) for entry in members} == {
        (0, 0, "", "", 1700000000)
    }


def test_the_bytes_do_not_depend_on_the_workers() -> None:
    noise = b"".join(hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(40_000))
    tree = FileTree({f"file{number}": noise for number in range(8)})
    for compression in Compression:
        one = layer.build(tree, compression)
        assert one == layer.build(tree, compression, run=ThreadWorkers(8).map)
        assert sum(len(noise) for _ in tree) > 2 * layer.MEMBER
        assert len(unpacked(one)) % 512 == 0


def test_these_bytes_are_pinned() -> None:
    """Another version of a compressor would change the digest of every image: that takes a decision (ADR 0010)."""
    tree = FileTree({f"{number}.yaml": f"kind: {number}\n".encode() * number for number in range(300)})
    assert {kind: layer.build(tree, kind).digest.hex[:16] for kind in Compression} == PINNED
    assert {kind: layer.build(MIXED, kind).digest.hex[:16] for kind in Compression} == PINNED_MIXED


PINNED = {Compression.GZIP: "ec0faaeba2663a51", Compression.ZSTD: "5c42119d08a9f64d"}
MIXED = FileTree(
    {
        "shop/a.yaml": b"kind: A\n",
        "shop/crd.yaml": b"kind: CustomResourceDefinition\n" * 5000,
        "shop/last-small.yaml": b"x" * (layer.LARGE - 1),
        "shop/second-large.yaml": b"y" * layer.LARGE,
        "shop/third-large.yaml": b"z" * (layer.MEMBER + 1),
        "web/crd.yaml": b"kind: CustomResourceDefinition\n" * 5000,
        "web/z.yaml": b"",
    }
)
PINNED_MIXED = {Compression.GZIP: "e20e2a5d688b0c85", Compression.ZSTD: "334b6f37ac0e94ac"}
LARGE_CONTENTS = {content for content in MIXED.files.values() if len(content) >= layer.LARGE}


def members(content: bytes) -> list[bytes]:
    """What each member of a gzip file holds."""
    found = []
    while content:
        decoder = zlib.decompressobj(wbits=31)
        found.append(decoder.decompress(content))
        content = decoder.unused_data
    return found


def test_a_large_file_is_a_gzip_member_of_its_own() -> None:
    packed = layer.build(MIXED, Compression.GZIP)
    parts = members(packed.content)
    assert [part for part in parts if part in LARGE_CONTENTS] == [
        content for content in MIXED.files.values() if content in LARGE_CONTENTS
    ]
    assert b"".join(parts) == unpacked(packed)
    assert len(parts) == 9


def test_what_is_between_large_files_is_cut() -> None:
    small = {f"shop/{number}.yaml": bytes(layer.LARGE - 1) for number in range(100)}
    first, second, end = members(layer.build(FileTree(small), Compression.GZIP).content)
    assert len(first) == layer.MEMBER > len(second) >= layer.LARGE
    assert end == bytes(1024)


def test_compressed_contents_are_not_compressed_again() -> None:
    asked: list[bytes] = []

    def keep(_how: str, content: bytes, make: Callable[[bytes], bytes], /) -> bytes:
        asked.append(content)
        return make(content)

    streams = {content: deflated.zlib_stream(content) for content in MIXED.files.values()}
    for compression in Compression:
        asked.clear()
        packed = layer.build(MIXED, compression, keep=layer.reusing(streams, keep))
        assert packed == layer.build(MIXED, compression)
        assert not LARGE_CONTENTS & set(asked)
        assert len(asked) == 1, "the small files of the shop, or the one frame"


def test_the_parts_that_are_kept_are_not_small() -> None:
    kept: list[int] = []

    def keep(_how: str, content: bytes, make: Callable[[bytes], bytes], /) -> bytes:
        kept.append(len(content))
        return make(content)

    layer.build(MIXED, Compression.GZIP, keep=keep)
    assert len(kept) == 5
    assert min(kept) >= layer.LARGE


@given(st.dictionaries(paths, st.binary(max_size=600), max_size=6))
def test_any_names_and_contents_are_read_as_written(files: dict[str, bytes]) -> None:
    tree = FileTree(files)
    folders = {path[:end] for path in files for end, char in enumerate(path) if char == "/"}
    if folders & files.keys():
        with pytest.raises(ImageError, match="both a file and a folder"):
            layer.build(tree, Compression.ZSTD)
        return
    with tarfile.open(fileobj=io.BytesIO(unpacked(layer.build(tree, Compression.ZSTD)))) as tar:
        files_in = {entry.name: tar.extractfile(entry) for entry in tar.getmembers() if entry.isfile()}
        assert {name: file.read() for name, file in files_in.items() if file} == files


def test_a_name_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(ImageError, match="not UTF-8"):
        layer.build(FileTree({"a/\udcff": b""}), Compression.GZIP)


def test_the_layer_has_every_manifest_once_and_a_script(tmp_path: Path) -> None:
    tree = image_content.of(FileTree({"shop/a.yaml": b"a"}), FileTree({"HEAD": b"ref"}))
    assert list(tree) == ["complete.sh", "manifests/shop/a.yaml", "repo.git/HEAD"]
    assert tree.executable == {"complete.sh"}
    assert tree["complete.sh"].startswith(b"#!/bin/sh\n")
