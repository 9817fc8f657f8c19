"""`image.base` from a real registry: fetched once, locked, and built upon with and without the network."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

import pytest
from tests.cli.conftest import Workspace
from tests.oci.base_images import Base
from tests.servers.pushing import Repository, push_base
from tests.servers.registry import Registry

from cluster_forge.foundation.digest import Digest
from cluster_forge.oci.image import CONFIG_TYPE


@pytest.fixture
def repository(open_registry: Registry) -> Repository:
    return Repository(open_registry, f"tools-{uuid.uuid4().hex}")


def test_forge_with_and_without_the_registry(workspace: Workspace, repository: Repository, tmp_path: Path) -> None:
    base = Base()
    reference = push_base(repository, base)
    workspace.replace("input/config.yaml", "name: demo\n", f"name: demo\nimage: {{base: '{reference}'}}\n")
    workspace.ok("forge")
    locked = workspace.yaml("cluster-forge.lock")["image"]["base"]
    assert (locked["address"], locked["asked"]) == (reference, "amd64 arm64")
    assert locked["version"] == str(base.root.digest)
    cast = workspace.tree("stacks/demo")
    written = set(cast)
    for blob in base.blobs:
        is_layer = not base.blobs[blob].startswith(b"{")
        assert (f"image/blobs/sha256/{blob.hex}" in written) == is_layer
    push_base(repository, Base(("linux/amd64", "linux/arm64", "linux/s390x")))  # the tag moves
    shutil.rmtree(workspace.folder / "stacks")
    shutil.rmtree(workspace.folder / "working")
    workspace.ok("forge", "--offline")
    assert workspace.tree("stacks/demo") == cast
    shutil.rmtree(workspace.folder / "stacks")
    workspace.ok("cast")
    assert workspace.tree("stacks/demo") == cast
    workspace.ok("mine", "--update")
    assert workspace.yaml("cluster-forge.lock")["image"]["base"]["version"] != str(base.root.digest)


def test_a_base_without_an_architecture_is_named(workspace: Workspace, repository: Repository) -> None:
    reference = push_base(repository, Base(("linux/amd64",)))
    workspace.replace("input/config.yaml", "name: demo\n", f"name: demo\nimage: {{base: '{reference}'}}\n")
    result = workspace.run("mine")
    assert result.code == 23
    assert result.err.endswith(
        f"error: input/config.yaml:4: image: oci://{reference}: "
        "the base image has no image for linux/arm64 (it has linux/amd64)\n"
        "  fix: use a base image for amd64, arm64, or take arm64 out of `target.architectures`\n"
    )
    workspace.replace("input/config.yaml", "name: demo\n", "name: demo\ntarget: {architectures: [amd64]}\n")
    workspace.ok("forge")


def test_a_base_that_is_not_there_is_named(workspace: Workspace, open_registry: Registry) -> None:
    base = f"{open_registry.host}/nothing:1"
    workspace.replace("input/config.yaml", "name: demo\n", f"name: demo\nimage: {{base: '{base}'}}\n")
    result = workspace.run("mine")
    assert result.code == 13
    assert f"error: input/config.yaml:4: image: oci://{base}: the registry does not have a tag '1'" in result.err
    offline = workspace.run("mine", "--offline")
    assert offline.code == 14
    assert f"error: input/config.yaml:4: image: --offline: oci://{base} is not in the store" in offline.err


def test_a_chart_is_not_a_base(workspace: Workspace, repository: Repository) -> None:
    repository.push_chart(b"chart", "1.0.0")
    reference = f"{repository.address.removeprefix('oci://')}:1.0.0"
    workspace.replace("input/config.yaml", "name: demo\n", f"name: demo\nimage: {{base: '{reference}'}}\n")
    result = workspace.run("mine")
    assert result.code == 23
    assert "the base image is not a container image, but application/vnd.cncf.helm.config.v1+json" in result.err


def test_a_layer_that_is_not_what_its_digest_says_is_refused(workspace: Workspace, repository: Repository) -> None:
    base = Base()
    reference = push_base(repository, base)
    layer = next(digest for digest, content in base.blobs.items() if not content.startswith(b"{"))
    stored = repository.registry.blobs / f"docker/registry/v2/blobs/sha256/{layer.hex[:2]}/{layer.hex}/data"
    content = stored.read_bytes()
    stored.write_bytes(bytes(len(content)))
    try:
        workspace.replace("input/config.yaml", "name: demo\n", f"name: demo\nimage: {{base: '{reference}'}}\n")
        result = workspace.run("mine")
    finally:
        stored.write_bytes(content)
    assert result.code == 13
    assert f"{layer} was asked for, {Digest.of(bytes(len(content)))} received" in result.err
    assert not (workspace.folder / "cluster-forge.lock").exists()


def test_the_configuration_is_written(workspace: Workspace, repository: Repository) -> None:
    reference = push_base(repository, Base(is_dockers=True))
    workspace.replace("input/config.yaml", "name: demo\n", f"name: demo\nimage: {{base: '{reference}'}}\n")
    workspace.ok("forge")
    image = workspace.folder / "stacks/demo/image"
    index = json.loads(blob(image, json.loads((image / "index.json").read_bytes())["manifests"][0]["digest"]))
    for entry in index["manifests"]:
        manifest = json.loads(blob(image, entry["digest"]))
        assert manifest["config"]["mediaType"] == CONFIG_TYPE
        config = json.loads(blob(image, manifest["config"]["digest"]))
        assert (config["config"]["Cmd"], len(config["rootfs"]["diff_ids"])) == (["--help"], len(manifest["layers"]))
        for layer in manifest["layers"]:
            assert len(blob(image, layer["digest"])) == layer["size"]


def blob(image: Path, digest: str) -> bytes:
    content = (image / "blobs" / digest.replace(":", "/")).read_bytes()
    assert str(Digest.of(content)) == digest
    return content
