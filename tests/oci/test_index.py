"""Images and indexes are what the OCI image specification says, and programs that read images accept them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import image, index, layer
from cluster_forge.oci.compression import Compression
from cluster_forge.oci.image import About, Base

SKOPEO = shutil.which("skopeo")
ABOUT = About(title="shop", version="1.2.0", created=1700000000, revision="c0ffee", more={"com.example": "x"})
OURS = layer.build(FileTree({"manifests/a.yaml": b"a: 1\n"}), Compression.GZIP)
BASE_CONFIG: dict[str, Any] = {
    "architecture": "arm64",
    "os": "linux",
    "config": {"Cmd": ["sh"], "Labels": {"kept": "yes"}},
    "rootfs": {"type": "layers", "diff_ids": [f"sha256:{'1' * 64}"]},
    "history": [{"created_by": "base"}],
}
BASE_MANIFEST: dict[str, Any] = {
    "layers": [
        {
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "digest": f"sha256:{'2' * 64}",
            "size": 7,
        }
    ]
}


def layout(compression: Compression = Compression.GZIP) -> index.Layout:
    ours = layer.build(FileTree({"manifests/a.yaml": b"a: 1\n"}), compression)
    return index.build([image.build(ours, each, ABOUT) for each in ("amd64", "arm64")], ABOUT)


def blob(files: FileTree, descriptor: dict[str, Any]) -> bytes:
    found = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
    assert descriptor["size"] == len(found)
    assert descriptor["digest"] == str(Digest.of(found))
    return found


def test_everything_is_reached_from_the_top_and_nothing_else_is_there() -> None:
    made = layout()
    top = json.loads(made.files["index.json"])
    assert json.loads(made.files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    [entry] = top["manifests"]
    assert entry["digest"] == str(made.digest)
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "1.2.0"}
    inner = json.loads(blob(made.files, entry))
    assert inner["mediaType"] == entry["mediaType"] == "application/vnd.oci.image.index.v1+json"
    reached = {entry["digest"]}
    for descriptor, architecture in zip(inner["manifests"], ("amd64", "arm64"), strict=True):
        assert descriptor["platform"] == {"os": "linux", "architecture": architecture}
        assert str(made.platforms[f"linux/{architecture}"]) == descriptor["digest"]
        manifest = json.loads(blob(made.files, descriptor))
        assert (manifest["schemaVersion"], manifest["mediaType"]) == (2, descriptor["mediaType"])
        config = json.loads(blob(made.files, manifest["config"]))
        assert (config["architecture"], config["os"], config["created"]) == (
            architecture,
            "linux",
            "2023-11-14T22:13:20Z",
        )
        assert config["rootfs"] == {"type": "layers", "diff_ids": [str(OURS.diff_id)]}
        assert manifest["layers"] == [
            {
                "mediaType": OURS.media_type,
                "digest": str(OURS.digest),
                "size": len(blob(made.files, manifest["layers"][0])),
            }
        ]
        reached |= {descriptor["digest"], manifest["config"]["digest"], str(OURS.digest)}
    assert {f"blobs/{each.replace(':', '/')}" for each in reached} == set(made.files) - {"index.json", "oci-layout"}
    assert made.size == sum(len(made.files[path]) for path in made.files if path.startswith("blobs/"))


def test_annotations_say_what_it_is_and_leave_out_what_is_not_known() -> None:
    assert ABOUT.annotations == {
        "org.opencontainers.image.title": "shop",
        "org.opencontainers.image.version": "1.2.0",
        "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
        "org.opencontainers.image.revision": "c0ffee",
        "com.example": "x",
    }


def test_an_image_without_a_version_has_no_name_in_the_layout() -> None:
    made = index.build([image.build(OURS, "amd64", ABOUT)], About(title="x", version="", created=0))
    assert "annotations" not in json.loads(made.files["index.json"])["manifests"][0]


def test_the_same_input_gives_the_same_layout() -> None:
    assert layout().files.digest == layout().files.digest


def test_ours_lies_on_top_of_a_base() -> None:
    base = Base.parse(orjson.dumps(BASE_MANIFEST), orjson.dumps(BASE_CONFIG))
    made = image.build(OURS, "arm64", ABOUT, base=base)
    manifest = json.loads(made.blobs[made.manifest.digest])
    config = json.loads(made.blobs[Digest.parse(manifest["config"]["digest"])])
    assert [each["digest"] for each in manifest["layers"]] == [f"sha256:{'2' * 64}", str(OURS.digest)]
    assert manifest["layers"][0]["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    assert config["rootfs"]["diff_ids"] == [f"sha256:{'1' * 64}", str(OURS.diff_id)]
    assert config["config"]["Cmd"] == ["sh"]
    assert config["config"]["Labels"] == {"kept": "yes", **ABOUT.annotations}
    assert [each["created_by"] for each in config["history"]] == ["base", "cluster-forge cast"]


def test_a_base_for_another_architecture_is_refused() -> None:
    base = Base.parse(orjson.dumps(BASE_MANIFEST), orjson.dumps(BASE_CONFIG))
    with pytest.raises(ImageError, match="for arm64, not for amd64"):
        image.build(OURS, "amd64", ABOUT, base=base)


@pytest.mark.parametrize(
    ("manifest", "config", "message"),
    [
        ({"manifests": []}, BASE_CONFIG, "cannot be read"),
        ({"layers": [{"mediaType": "x", "digest": "md5:1", "size": 1}]}, BASE_CONFIG, "cannot be read"),
        ({"layers": []}, BASE_CONFIG, "do not describe the same"),
        (BASE_MANIFEST, {**BASE_CONFIG, "os": "windows"}, "do not describe the same"),
        (BASE_MANIFEST, [], "cannot be read"),
    ],
)
def test_a_base_that_is_none_is_refused(manifest: Any, config: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        Base.parse(orjson.dumps(manifest), orjson.dumps(config))


@pytest.mark.skipif(not SKOPEO, reason="skopeo is not installed")
@pytest.mark.parametrize("compression", Compression)
def test_skopeo_reads_it(tmp_path: Path, compression: Compression) -> None:
    made = layout(compression)
    for path in made.files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(made.files[path])
    for architecture in ("amd64", "arm64"):
        options = ["--override-os", "linux", "--override-arch", architecture]
        command = [str(SKOPEO), "inspect", *options, f"oci:{tmp_path}:1.2.0"]
        seen = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        assert (seen["Digest"], seen["Architecture"], seen["Created"]) == (
            str(made.digest),
            architecture,
            "2023-11-14T22:13:20Z",
        )
