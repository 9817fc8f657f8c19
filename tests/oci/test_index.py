"""Images and indexes are what the OCI image specification says, and programs that read images accept them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import image, index, layer
from cluster_forge.oci.compression import Compression
from cluster_forge.oci.image import ImageMetadata

SKOPEO = shutil.which("skopeo")
METADATA = ImageMetadata(
    title="shop", version="1.2.0", created=1700000000, revision="c0ffee", more={"com.example": "x"}
)
LAYER = layer.build(FileTree({"manifests/a.yaml": b"a: 1\n"}), Compression.GZIP)


def layout(compression: Compression = Compression.GZIP) -> index.Layout:
    packed = layer.build(FileTree({"manifests/a.yaml": b"a: 1\n"}), compression)
    return index.build([image.build(packed, architecture, METADATA) for architecture in ("amd64", "arm64")], METADATA)


def blob(files: FileTree, descriptor: dict[str, Any]) -> bytes:
    content = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
    assert descriptor["size"] == len(content)
    assert descriptor["digest"] == str(Digest.of(content))
    return content


def test_the_index_reaches_every_blob() -> None:
    written = layout()
    top = json.loads(written.files["index.json"])
    assert json.loads(written.files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    [entry] = top["manifests"]
    assert entry["digest"] == str(written.digest)
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "1.2.0"}
    inner = json.loads(blob(written.files, entry))
    assert inner["mediaType"] == entry["mediaType"] == "application/vnd.oci.image.index.v1+json"
    reached = {entry["digest"]}
    for descriptor, architecture in zip(inner["manifests"], ("amd64", "arm64"), strict=True):
        assert descriptor["platform"] == {"os": "linux", "architecture": architecture}
        assert str(written.platforms[f"linux/{architecture}"]) == descriptor["digest"]
        manifest = json.loads(blob(written.files, descriptor))
        assert (manifest["schemaVersion"], manifest["mediaType"]) == (2, descriptor["mediaType"])
        config = json.loads(blob(written.files, manifest["config"]))
        assert (config["architecture"], config["os"], config["created"]) == (
            architecture,
            "linux",
            "2023-11-14T22:13:20Z",
        )
        assert config["rootfs"] == {"type": "layers", "diff_ids": [str(LAYER.diff_id)]}
        assert manifest["layers"] == [
            {
                "mediaType": LAYER.media_type,
                "digest": str(LAYER.digest),
                "size": len(blob(written.files, manifest["layers"][0])),
            }
        ]
        reached |= {descriptor["digest"], manifest["config"]["digest"], str(LAYER.digest)}
    assert {f"blobs/{digest.replace(':', '/')}" for digest in reached} == set(written.files) - {
        "index.json",
        "oci-layout",
    }
    assert written.size == sum(len(written.files[path]) for path in written.files if path.startswith("blobs/"))


def test_annotations_without_a_value_are_left_out() -> None:
    assert METADATA.annotations == {
        "org.opencontainers.image.title": "shop",
        "org.opencontainers.image.version": "1.2.0",
        "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
        "org.opencontainers.image.revision": "c0ffee",
        "com.example": "x",
    }


def test_an_image_without_a_version_has_no_name_in_the_layout() -> None:
    written = index.build([image.build(LAYER, "amd64", METADATA)], ImageMetadata(title="x", version="", created=0))
    assert "annotations" not in json.loads(written.files["index.json"])["manifests"][0]


def test_the_same_input_gives_the_same_layout() -> None:
    assert layout().files.digest == layout().files.digest


@pytest.mark.skipif(not SKOPEO, reason="skopeo is not installed")
@pytest.mark.parametrize("compression", Compression)
def test_skopeo_reads_the_layout(tmp_path: Path, compression: Compression) -> None:
    written = layout(compression)
    for path in written.files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(written.files[path])
    for architecture in ("amd64", "arm64"):
        options = ["--override-os", "linux", "--override-arch", architecture]
        command = [str(SKOPEO), "inspect", *options, f"oci:{tmp_path}:1.2.0"]
        seen = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        assert (seen["Digest"], seen["Architecture"], seen["Created"]) == (
            str(written.digest),
            architecture,
            "2023-11-14T22:13:20Z",
        )
