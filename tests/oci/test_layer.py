"""A layer contains its tree, and the same tree always gives the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.adapters.threads import ThreadWorkers
from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import image_content, layer
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


PINNED = {Compression.GZIP: "ec0faaeba2663a51", Compression.ZSTD: "5c42119d08a9f64d"}


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
