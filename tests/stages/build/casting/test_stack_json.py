"""``stack.json`` has the keys of the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree
from cluster_forge.foundation.names import ComponentName
from cluster_forge.gitops.delivery_mode import Delivery
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.oci.index import Layout
from cluster_forge.record import FindingCounts, Record
from cluster_forge.stack.model import Stack
from cluster_forge.stages.build.casting.stack_json import stack_json, version


def test_it_has_the_keys_of_the_contract() -> None:
    objects = tuple(
        PartObject(
            path=f"web/{name}.yaml",
            id=ObjectId(group="apps", kind="Deployment", namespace="web", name=name),
            digest=Digest.of(name.encode()),
            images=("b:1", "a:1"),
        )
        for name in ("one", "two")
    )
    web = Part(
        name=ComponentName("web"),
        namespace="web",
        wave=10,
        needs=(ComponentName("crds"),),
        version="1.2.3",
        source="https://charts.example.com web",
        digest=str(Digest.of(b"chart")),
        objects=objects,
    )
    record = Record(
        tool="1",
        stack="demo",
        inputs=Digest.of(b""),
        revision="v-1",
        findings=FindingCounts(warning=3),
        parts=(web,),
        files={},
    )
    files = FileTree({"blobs/sha256/a": b"123456789012", "index.json": b"{}"})
    image = Layout(files=files, digest=Digest.of(b"image"), platforms={"linux/amd64": Digest.of(b"amd64")})
    stack = Stack(name="demo", environment="production", left_out=("spare",))
    content: dict[str, Any] = json.loads(stack_json(record, stack, Delivery.DIRECT, image, "c" * 40))
    assert content == {
        "schema": "cluster-forge/stack/v1",
        "name": "demo",
        "version": "v-1",
        "environment": "production",
        "leftOut": ["spare"],
        "target": {"kubernetes": "v1.33.0", "size": "small", "architectures": ["amd64", "arm64"]},
        "delivery": "direct",
        "components": [
            {
                "name": "web",
                "version": "1.2.3",
                "source": "https://charts.example.com web",
                "digest": str(Digest.of(b"chart")),
                "namespace": "web",
                "wave": 10,
                "needs": ["crds"],
                "objects": 2,
                "images": ["a:1", "b:1"],
            }
        ],
        "objects": 2,
        "volumeClaims": [],
        "image": {"digest": str(Digest.of(b"image")), "platforms": ["linux/amd64"], "size": 12},
        "git": {"commit": "c" * 40},
        "findings": {"error": 0, "warning": 3},
    }


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"{}", b'{"version": 1}', b'{"version": null}', b"\xff"]
)
def test_a_file_of_something_else_has_no_version(content: bytes) -> None:
    assert version(content) == ""


def test_the_version_is_read_as_written() -> None:
    assert version(b'{"schema": "", "version": "v-2c6a06c4bcbc"}') == "v-2c6a06c4bcbc"
