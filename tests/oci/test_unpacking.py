"""What `layer` packs is unpacked again; the rest is in ``tests/cli/test_push_and_pull.py``, with everything around it."""

from __future__ import annotations

import io
import tarfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import layer, unpacking
from cluster_forge.oci.compression import Compression

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")).filter(lambda char: char != "/"), min_size=1
)
PATHS = st.lists(NAMES.filter(lambda name: name not in (".", "..")), min_size=1, max_size=4).map("/".join)


@settings(max_examples=25)
@given(st.dictionaries(PATHS, st.binary(max_size=200), max_size=5), st.data())
def test_a_layer_is_unpacked_to_the_files_that_were_packed(files: dict[str, bytes], data: st.DataObject) -> None:
    kept = {
        path: content
        for path, content in files.items()
        if not any(f"{path}/" in f"{other}/" for other in files if other != path)
    }
    executable = data.draw(st.frozensets(st.sampled_from(sorted(kept)))) if kept else frozenset()
    tree = FileTree(kept, executable)
    assert unpacking.files(layer.build(tree, Compression.GZIP).content) == tree


def test_many_large_files_are_many_members() -> None:
    tree = FileTree({f"{number:04}": bytes(layer.LARGE) for number in range(1_001)})
    assert unpacking.files(layer.build(tree, Compression.GZIP).content) == tree


def packed(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo(name)
        entry.type = kind
        archive.addfile(entry)
    packer = zlib.compressobj(wbits=31)
    return packer.compress(buffer.getvalue()) + packer.flush()


@pytest.mark.parametrize("name", ["..", "../x", "a/../../x", "/x", "a//b", "./x", "a/./b", "\x07", "x" * 1_001])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ImageError, match="cannot be unpacked"):
        unpacking.files(packed(name))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.BLKTYPE, tarfile.CHRTYPE])
def test_other_members_are_refused(kind: bytes) -> None:
    with pytest.raises(ImageError, match="'x' is not a file"):
        unpacking.files(packed("x", kind))


@given(st.binary(max_size=300))
def test_anything_else_is_an_error(content: bytes) -> None:
    packer = zlib.compressobj(wbits=31)
    for layer_ in (content, packer.compress(content) + packer.flush()):
        try:
            unpacking.files(layer_)
        except ImageError:
            continue
        assert not content.strip(b"\0"), "only an archive without members"
