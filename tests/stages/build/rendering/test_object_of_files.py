"""ConfigMaps and Secrets with the content of files: every byte arrives, and a changed file is noticed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ManifestError
from cluster_forge.stack.component import FilesKind, ObjectOfFiles
from cluster_forge.stack.model import Stack

if TYPE_CHECKING:
    from tests.stages.conftest import Harness

TEXTS = {
    "dashboard": '{"panels": [], "title": "Shop"}\n',
    "script": '#!/bin/sh\n---\necho "${A}" {{ .Values.x }}\n\ttab  \n\n',
    "crlf": "a\r\nb\r\n",
    "no-break": "x",
    "spaces": "  a\n b\n",
    "empty": "",
    "signs": "\ufeffa\x85b\u2028c\u2029d\x7fe\x80\U0001f600 \x00\x1b[0m\rq\r  \n\n\n",
    "number": "0755",
    "yes": "y",
}
BINARY = bytes(range(256))


def stack(harness: Harness, kind: FilesKind = FilesKind.CONFIG_MAP, namespace: str = "") -> Stack:
    contents = {**{key: text.encode() for key, text in TEXTS.items()}, "logo.png": BINARY}
    for key, content in contents.items():
        harness.files.write(f"input/files/{key}", content)
    described = ObjectOfFiles(
        kind=kind,
        name="files",
        files={key: f"input/files/{key}" for key in contents},
        where="input/config.yaml:7",
        labels={"grafana_dashboard": "1"},
        namespace=namespace,
    )
    return harness.stack(harness.component("web", namespace="shop", objects_of_files=(described,)))


def test_every_byte_of_every_file_is_in_the_config_map(harness: Harness) -> None:
    smelted = harness.forge(stack(harness))
    assert smelted.findings == ()
    text = harness.working["web/configmap_shop_files.yaml"]
    for body in (GoYaml(PurePythonYaml()).read(text), yaml.safe_load(text)):
        assert body["data"] == TEXTS
        assert b64decode(body["binaryData"]["logo.png"]) == BINARY
        assert body["metadata"] == {"name": "files", "namespace": "shop", "labels": {"grafana_dashboard": "1"}}


def test_a_secret_has_its_files_encoded(harness: Harness) -> None:
    harness.forge(stack(harness, FilesKind.SECRET, namespace="other"))
    body = yaml.safe_load(harness.working["web/secret_other_files.yaml"])
    assert body["type"] == "Opaque"
    assert body["data"]["dashboard"] == b64encode(TEXTS["dashboard"].encode()).decode()
    assert b64decode(body["data"]["logo.png"]) == BINARY


def test_a_changed_file_makes_working_stale(harness: Harness) -> None:
    wanted = stack(harness)
    first = harness.forge(wanted)
    assert harness.again().forge(wanted).is_current
    harness.files.write("input/files/script", b"changed\n")
    assert harness.fingerprint(wanted) != first.record.inputs
    later = harness.again()
    assert not later.forge(wanted).is_current
    assert "changed" in later.working["web/configmap_shop_files.yaml"]


def test_the_place_in_the_description_does_not_count(harness: Harness) -> None:

    wanted = stack(harness)
    (component,) = wanted.components
    (described,) = component.objects_of_files
    moved = replace(component, objects_of_files=(replace(described, where="input/config.yaml:9"),))
    assert harness.fingerprint(replace(wanted, components=(moved,))) == harness.fingerprint(wanted)


def test_a_file_that_vanished_is_an_error_with_the_place(harness: Harness) -> None:
    described = ObjectOfFiles(
        kind=FilesKind.CONFIG_MAP, name="files", files={"a": "input/gone"}, where="input/config.yaml:7"
    )
    with pytest.raises(ManifestError) as caught:
        harness.forge(harness.stack(harness.component("web", objects_of_files=(described,))))
    assert (caught.value.message, caught.value.where) == (
        "ConfigMap files: there is no input/gone",
        "input/config.yaml:7",
    )


def test_a_duplicate_of_another_object_is_found(harness: Harness) -> None:
    wanted = stack(harness)
    (component,) = wanted.components
    (described,) = component.objects_of_files

    other = replace(described, files={"a": "input/files/yes"})
    twice = replace(component, objects_of_files=(described, other))
    assert "duplicate-object" in {
        finding.code for finding in harness.forge(replace(wanted, components=(twice,))).findings
    }
