"""An image upon another one is what image builders write, and programs that read images accept it."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oci.base_images import GZIP, ZSTD, Base

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import ImageError
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.oci import image, image_archive, index, layer
from cluster_forge.oci.compression import Compression
from cluster_forge.oci.image import CONFIG_TYPE, BaseImage, Descriptor, ImageMetadata

SKOPEO = shutil.which("skopeo")
NAME = "registry.example.com/tools:1.2"
BOTH = ("amd64", "arm64")
METADATA = ImageMetadata(title="shop", version="1.2.0", created=1700000000, revision="c0ffee")
LAYER = layer.build(FileTree({"manifests/a.yaml": b"a: 1\n"}), Compression.GZIP)


def read(base: Base, *architectures: str) -> dict[str, BaseImage]:
    return dict(image_archive.images(NAME, base.root, architectures or BOTH, base.blob))


def built(base: Base, architecture: str = "amd64") -> tuple[dict[str, Any], dict[str, Any]]:
    """Manifest and configuration of an image upon a base."""
    result = image.build(LAYER, architecture, METADATA, read(base, architecture)[architecture])
    manifest = json.loads(result.blobs[result.manifest.digest])
    return manifest, json.loads(result.blobs[Digest.parse(manifest["config"]["digest"])])


def test_the_configuration_is_the_base_s_with_our_labels() -> None:
    _, config = built(Base())
    assert config["architecture"], config["os"] == ("amd64", "linux")
    assert config["created"] == "2023-11-14T22:13:20Z"
    assert config["config"] == {
        "Env": ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
        "Entrypoint": ["/bin/tool"],
        "Cmd": ["--help"],
        "User": "1000:1000",
        "WorkingDir": "/work",
        "ExposedPorts": {"8080/tcp": {}},
        "Labels": {"maintainer": "someone", **METADATA.annotations},
    }
    assert len(config["rootfs"]["diff_ids"]) == 3
    assert config["rootfs"]["diff_ids"][-1] == str(LAYER.diff_id)
    assert [entry["created_by"] for entry in config["history"]] == [
        "COPY tool /bin/tool",
        "ENV LANG=C.UTF-8",
        "COPY tool /etc/tool",
        "cluster-forge cast",
    ]


@pytest.mark.parametrize(("is_dockers", "types"), [(False, [GZIP, ZSTD, GZIP]), (True, [GZIP, GZIP, GZIP])])
def test_layers_continue_with_the_media_types_of_oci(is_dockers: bool, types: list[str]) -> None:
    base = Base(is_dockers=is_dockers)
    manifest, _ = built(base)
    assert [entry["mediaType"] for entry in manifest["layers"]] == types
    assert manifest["layers"][-1]["digest"] == str(LAYER.digest)
    assert manifest["config"]["mediaType"] == CONFIG_TYPE
    assert manifest["annotations"] == {
        **METADATA.annotations,
        "org.opencontainers.image.base.name": NAME,
        "org.opencontainers.image.base.digest": str(base.manifests["linux/amd64"].digest),
    }


def test_the_usual_variant_is_taken_and_attestations_are_not() -> None:
    base = Base(
        ("linux/arm64/v9", "linux/amd64/v3", "linux/arm64/v8", "windows/amd64", "unknown/unknown", "linux/amd64")
    )
    taken = read(base)
    assert taken["arm64"].manifest.digest == base.manifests["linux/arm64/v8"].digest
    assert taken["amd64"].manifest.digest == base.manifests["linux/amd64"].digest


@pytest.mark.parametrize(
    ("platforms", "message"),
    [
        (("linux/amd64",), "has no image for linux/arm64 (it has linux/amd64)"),
        (("linux/ppc64le", "windows/amd64"), "has no image for linux/amd64 and linux/arm64 (it has linux/ppc64le)"),
        ((), "has no image for linux/amd64 and linux/arm64 (it has none)"),
    ],
)
def test_missing_architectures_are_named(platforms: tuple[str, ...], message: str) -> None:
    with pytest.raises(ImageError) as error:
        read(Base(platforms))
    assert message in error.value.message
    assert "`target.architectures`" in str(error.value.fix)


def test_a_base_without_an_index_is_for_its_own_architecture() -> None:
    base = Base(("linux/arm64",))
    base.root = base.manifests["linux/arm64"]
    assert read(base, "arm64")["arm64"].manifest.architecture == "arm64"
    with pytest.raises(ImageError, match=r"has no image for linux/amd64 \(it has linux/arm64\)"):
        read(base)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"layers": [{"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}]},
            "must not be distributed",
        ),
        (
            {"layers": [{"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"}]},
            "must not be distributed",
        ),
        ({"layers": [{"mediaType": f"{GZIP}+encrypted"}]}, "is of an unknown type"),
        ({"layers": []}, "has 0 layers, and its configuration lists 2"),
        ({"config": {"rootfs": None}}, "is not one"),
        ({"config": {"rootfs": {"type": "layers", "diff_ids": ["x", "y"]}}}, "is not one"),
        ({"config": {"architecture": "arm64"}}, "for amd64, and its configuration is for arm64"),
        ({"config": {"os": "windows"}}, "is for windows/amd64"),
    ],
)
def test_what_cannot_be_built_upon_is_named(changes: dict[str, Any], message: str) -> None:
    base = Base(("linux/amd64",))
    for entry in changes.get("layers", ()):
        entry.update(base.add(b"layer", entry["mediaType"]).to_json())
    base.manifests["linux/amd64"] = base.add_image("linux/amd64", **changes)
    base.root = base.add_index()
    with pytest.raises(ImageError, match=message):
        read(base, "amd64")


def test_an_artifact_is_not_a_base() -> None:
    base = Base(("linux/amd64",))
    config = base.add(b"{}", "application/vnd.cncf.helm.config.v1+json")
    document = {"schemaVersion": 2, "mediaType": image.MANIFEST_TYPE, "config": config.to_json(), "layers": []}
    base.root = base.add(json.dumps(document).encode(), image.MANIFEST_TYPE)
    with pytest.raises(ImageError, match=r"not a container image, but application/vnd\.cncf\.helm\.config"):
        read(base, "amd64")


def test_a_history_of_other_layers_is_not_continued() -> None:
    base = Base(("linux/amd64",))
    base.manifests["linux/amd64"] = base.add_image(
        "linux/amd64", config={"history": [{"created_by": "FROM"}], "config": None}
    )
    base.root = base.add_index()
    manifest, config = built(base)
    assert len(config["history"]) == len(manifest["layers"]) == 3
    assert config["config"] == {"Labels": METADATA.annotations}


def test_a_packed_base_is_read_again() -> None:
    base = Base()
    archive = image_archive.pack(base.root, base.blobs)
    assert image_archive.unpack(archive, NAME, BOTH) == read(base)
    assert {"oci-layout", "index.json", f"blobs/sha256/{base.root.digest.hex}"} < set(names_in(archive))


def test_packing_gives_the_same_bytes_in_every_version() -> None:
    blobs = [b'{"schemaVersion": 2}', b"layer"]
    root = Descriptor.of(blobs[0], image.MANIFEST_TYPE)
    digest = Digest.of(image_archive.pack(root, {Digest.of(blob): blob for blob in blobs}))
    assert (
        digest.hex == "da541a77b782d1c3091553716188cc24a0259d62a4ab026fa986acd96498332c"
    )  # locks have such digests: other bytes would be an error for each of them


@given(st.data())
def test_a_damaged_archive_is_an_error(data: st.DataObject) -> None:
    base = Base()
    archive = bytearray(image_archive.pack(base.root, base.blobs))
    for _ in range(data.draw(st.integers(1, 8))):
        archive[data.draw(st.integers(0, len(archive) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ImageError):
        assert set(image_archive.unpack(bytes(archive), NAME, BOTH)) == set(BOTH)


@pytest.mark.skipif(SKOPEO is None, reason="skopeo is not installed")
@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("is_dockers", [False, True])
def test_skopeo_reads_the_image(compression: Compression, is_dockers: bool, tmp_path: Path) -> None:
    bases = read(Base(is_dockers=is_dockers))
    packed = layer.build(FileTree({"manifests/a.yaml": b"a: 1\n"}), compression)
    layout = index.build([image.build(packed, name, METADATA, bases[name]) for name in BOTH], METADATA)
    for path, content in layout.files.files.items():
        (tmp_path / "image" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "image" / path).write_bytes(content)
    for architecture in BOTH:
        copy = tmp_path / architecture
        command = [str(SKOPEO), "--insecure-policy", "--override-os=linux", f"--override-arch={architecture}", "copy"]
        source, target = f"oci:{tmp_path}/image", f"dir:{copy}"
        subprocess.run([*command, "--dest-decompress", source, target], check=True, capture_output=True)
        manifest = json.loads((copy / "manifest.json").read_bytes())
        digests = [Digest.parse(entry["digest"]) for entry in manifest["layers"]]
        config = json.loads((copy / Digest.parse(manifest["config"]["digest"]).hex).read_bytes())
        assert [str(digest) for digest in digests] == config["rootfs"]["diff_ids"]
        assert config["architecture"] == architecture
        assert [names_in((copy / digest.hex).read_bytes())[-1] for digest in digests] == [
            "bin/tool",
            "etc/tool",
            "manifests/a.yaml",
        ]


@pytest.mark.skipif(SKOPEO is None, reason="skopeo is not installed")
def test_skopeo_reads_the_archive(tmp_path: Path) -> None:
    base = Base()
    (tmp_path / "base.tar").write_bytes(image_archive.pack(base.root, base.blobs))
    command = [str(SKOPEO), "--insecure-policy", "--override-os=linux", "--override-arch=arm64", "inspect", "--config"]
    done = subprocess.run([*command, f"oci-archive:{tmp_path}/base.tar"], check=True, capture_output=True)
    assert json.loads(done.stdout)["architecture"] == "arm64"


def names_in(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as unpacked:
        return unpacked.getnames()
