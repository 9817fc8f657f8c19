"""The record of a smelted stack: loaded as it was written, refused where it is damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.finding import Finding, Severity
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.part import Part, PartObject
from cluster_forge.record import FindingCounts, Record

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DIGESTS = st.binary(max_size=4).map(Digest.of)
NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True).map(ComponentName)
IDS = st.builds(ObjectId, group=TEXT, kind=TEXT, namespace=TEXT, name=TEXT)
OBJECTS = st.builds(
    PartObject,
    path=TEXT,
    id=IDS,
    digest=DIGESTS,
    images=st.lists(TEXT, max_size=3).map(tuple),
    hook=TEXT,
    hook_weight=st.integers(-(2**31), 2**31),
)
FINDINGS = st.builds(
    Finding,
    code=TEXT,
    severity=st.sampled_from(Severity),
    message=TEXT,
    component=st.none() | NAMES,
    object=st.none() | IDS,
    where=TEXT,
    fix=TEXT,
)
PARTS = st.builds(
    Part,
    name=NAMES,
    namespace=TEXT,
    wave=st.integers(-1000, 1000),
    needs=st.lists(NAMES, max_size=2).map(tuple),
    version=TEXT,
    source=TEXT,
    digest=TEXT,
    objects=st.lists(OBJECTS, max_size=3).map(tuple),
)
RECORDS = st.builds(
    Record,
    tool=TEXT,
    stack=TEXT,
    inputs=DIGESTS,
    revision=TEXT,
    parts=st.lists(PARTS, max_size=3).map(tuple),
    files=st.dictionaries(TEXT, DIGESTS, max_size=3),
    findings=st.builds(FindingCounts, error=st.integers(0, 9), warning=st.integers(0, 9)),
    own_findings=st.lists(FINDINGS, max_size=2).map(tuple),
)
RECORD = Record(
    tool="1",
    stack="demo",
    inputs=Digest.of(b""),
    revision="v-1",
    parts=(
        Part(
            name=ComponentName("web"),
            namespace="web",
            wave=10,
            needs=(ComponentName("crds"),),
            version="1.2.3",
            source="https://charts.example.com web",
            digest=str(Digest.of(b"chart")),
            objects=tuple(
                PartObject(
                    path=f"web/{name}.yaml",
                    id=ObjectId(group="apps", kind="Deployment", namespace="web", name=name),
                    digest=Digest.of(name.encode()),
                    images=("b:1", "a:1"),
                )
                for name in ("one", "two")
            ),
        ),
    ),
    files={},
    findings=FindingCounts(warning=3),
)


@given(RECORDS)
def test_a_written_record_is_loaded(record: Record) -> None:
    assert Record.from_json(record.to_json()) == record


def test_files_are_sorted_one_to_a_line() -> None:
    record = Record(
        tool="1",
        stack="x",
        inputs=Digest.of(b""),
        revision="r",
        parts=(),
        files={"b": Digest.of(b"b"), "a": Digest.of(b"a")},
    )
    lines = record.to_json().decode().splitlines()
    assert [line.split(":")[0].strip() for line in lines[-4:-2]] == ['"a"', '"b"']
    assert record.to_json().endswith(b"}\n")


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"schema": "cluster-forge/smelt/v2"}',
        RECORD.to_json().replace(b'"tool"', b'"fool"'),
        RECORD.to_json().replace(b"sha256:", b"md5:"),
        RECORD.to_json().replace(b'"parts": [', b'"parts": [3,'),
        RECORD.to_json().replace(b'"name": "web"', b'"name": "Not A Label"'),
        RECORD.to_json().replace(b'"Deployment",', b'"Deployment", "",'),
        RECORD.to_json().replace(b'"findings": {', b'"findings": 3, "x": {'),
    ],
)
def test_a_damaged_record_is_refused_with_a_fix(damaged: bytes) -> None:
    with pytest.raises(StaleError) as raised:
        Record.from_json(damaged)
    assert raised.value.where == "working/.smelt.json"
    assert "cluster-forge smelt --discard-edits" in (raised.value.fix or "")


def test_a_record_of_a_build_that_knew_no_folders_is_read() -> None:
    written = json.loads(replace(RECORD, folder="demo.production").to_json())
    del written["folder"]
    assert Record.from_json(json.dumps(written).encode()).holds == RECORD.stack


def test_the_format_is_the_one_that_earlier_builds_wrote() -> None:
    finding = Finding(
        code="hook-dropped",
        severity=Severity.NOTICE,
        message="one hook",
        component=ComponentName("web"),
        object=RECORD.parts[0].objects[0].id,
    )
    written: dict[str, Any] = json.loads(
        replace(RECORD, own_findings=(finding,), files={"a": Digest.of(b"a")}).to_json()
    )
    assert list(written) == [
        "schema",
        "tool",
        "stack",
        "folder",
        "inputs",
        "revision",
        "findings",
        "found",
        "parts",
        "files",
    ]
    assert (written["schema"], written["inputs"]) == ("cluster-forge/smelt/v1", str(Digest.of(b"")))
    assert written["findings"] == {"error": 0, "warning": 3}
    assert written["files"] == {"a": Digest.of(b"a").hex}
    assert written["found"] == [
        {
            "code": "hook-dropped",
            "severity": "notice",
            "message": "one hook",
            "component": "web",
            "object": ["apps", "Deployment", "web", "one"],
            "where": "",
            "field": "",
            "fix": "",
            "mending": None,
        }
    ]
    (part,) = written["parts"]
    assert list(part) == ["name", "namespace", "wave", "needs", "after", "version", "source", "digest", "objects"]
    assert part["objects"][0] == {
        "path": "web/one.yaml",
        "id": ["apps", "Deployment", "web", "one"],
        "sha256": Digest.of(b"one").hex,
        "images": ["b:1", "a:1"],
        "hook": "",
        "weight": 0,
    }


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("tool",), 5, "tool: 5 is not text"),
        (("findings", "error"), "1", "findings.error: '1' is not an integer"),
        (("parts", 0, "wave"), True, r"parts[0].wave: True is not an integer"),
        (("parts", 0, "version"), None, "parts[0].version: None is not text"),
        (("parts", 0, "needs"), ["Not A Label"], "parts[0].needs[0]: 'Not A Label' is not a DNS label"),
        (("parts", 0, "objects", 0, "path"), ["x"], "parts[0].objects[0].path: ['x'] is not text"),
        (("parts", 0, "objects", 1, "weight"), 1.5, "parts[0].objects[1].weight: 1.5 is not an integer"),
        (("parts", 0, "objects", 0, "sha256"), 3, "parts[0].objects[0].sha256: not a sha256 digest: 3"),
        (("parts", 0, "objects", 0, "id"), [1, 2, 3, 4], "parts[0].objects[0].id: not [group, kind, namespace, name]"),
        (("parts", 0, "objects", 0, "images"), [None], "parts[0].objects[0].images[0]: None is not text"),
        (("files", "a"), "x", "files['a']: not a sha256 digest: 'x'"),
    ],
)
def test_a_wrong_type_is_reported_with_its_place(place: tuple[Any, ...], value: object, message: str) -> None:
    written = json.loads(replace(RECORD, files={"a": Digest.of(b"a")}).to_json())
    inner = written
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(StaleError) as raised:
        Record.from_json(json.dumps(written).encode())
    assert f"cannot be read: {message}" in raised.value.message
