"""Parts and their objects, with documents and without."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from cluster_forge.foundation import json_codec
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.manifest import Manifest, Provenance
from cluster_forge.manifests.part import Part, PartObject

WEB = ComponentName("web")
JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {
        "name": "migrate",
        "namespace": "web",
        "labels": {"app": "web"},
        "annotations": {"helm.sh/hook": "pre-upgrade, pre-install", "helm.sh/hook-weight": "-5"},
    },
    "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "example.com/a:1"}]}}},
}


def part() -> Part:
    manifest = Manifest.of(JOB, Provenance(component=WEB, origin="test"))
    part_object = PartObject.of(manifest, f"web/{manifest.id.file_name}")
    return Part(name=WEB, namespace="web", wave=0, objects=(part_object,))


def recorded(whole: Part) -> Part:
    """The part as the record of a smelted stack has it."""
    return json_codec.load(Part, json_codec.dump(whole))


def test_an_object_has_the_facts_of_its_manifest() -> None:
    (job,) = part().objects
    assert (job.path, job.kind) == ("web/job.batch_web_migrate.yaml", ("batch", "Job"))
    assert (job.images, job.hook, job.hook_weight) == (("example.com/a:1",), "pre-install,pre-upgrade", -5)
    assert job.labels == {"app": "web"}
    assert job.digest == Digest.of(job.content)
    assert yaml.safe_load(job.content) == job.body == JOB


def test_a_recorded_part_is_equal_and_has_no_documents() -> None:
    whole = part()
    assert recorded(whole) == whole
    with pytest.raises(AssertionError, match="has no document"):
        _ = recorded(whole).objects[0].body


def test_files_are_parsed_when_a_body_is_needed() -> None:
    whole = part()
    parsed: list[str] = []

    def parse(text: str) -> Any:
        parsed.append(text)
        return yaml.safe_load(text)

    files = {part_object.path: part_object.content for part_object in whole.objects}
    (job,) = recorded(whole).with_documents(files, parse).objects
    assert job.content == whole.objects[0].content
    assert parsed == []
    assert job.body == JOB
    assert job.labels == {"app": "web"}
    assert len(parsed) == 1


def test_a_known_document_is_kept() -> None:
    whole = part()
    assert whole.with_documents({}, yaml.safe_load).objects[0].document is whole.objects[0].document
