"""The record that smelt leaves: read back as it was written, and refused where it is damaged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.errors import StaleError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.record import CastImage, ObjectRecord, PartRecord, Record, stack_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DIGESTS = st.binary(max_size=4).map(Digest.of)
NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True).map(ComponentName)
OBJECTS = st.builds(
    ObjectRecord,
    path=TEXT,
    id=st.builds(ObjectId, group=TEXT, kind=TEXT, namespace=TEXT, name=TEXT),
    digest=DIGESTS,
    images=st.lists(TEXT, max_size=3).map(tuple),
    hook=TEXT,
    weight=st.integers(-(2**31), 2**31),
)
PARTS = st.builds(
    PartRecord,
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
    errors=st.integers(0, 9),
    warnings=st.integers(0, 9),
)
RECORD = Record(
    tool="1",
    stack="demo",
    inputs=Digest.of(b""),
    revision="v-1",
    parts=(
        PartRecord(
            name=ComponentName("web"),
            namespace="web",
            wave=10,
            needs=(ComponentName("crds"),),
            version="1.2.3",
            source="https://charts.example.com web",
            digest=str(Digest.of(b"chart")),
            objects=tuple(
                ObjectRecord(
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
    warnings=3,
)


@given(RECORDS)
def test_what_is_written_is_read_back(record: Record) -> None:
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
def test_a_damaged_record_says_what_to_do(damaged: bytes) -> None:
    with pytest.raises(StaleError) as raised:
        Record.from_json(damaged)
    assert (raised.value.where, raised.value.fix) == ("working/.smelt.json", "smelt again")


def test_stack_json_is_the_contracts() -> None:
    image = CastImage(digest=Digest.of(b"image"), platforms=("linux/amd64",), size=12)
    content: dict[str, Any] = json.loads(stack_json(RECORD, {"kubernetes": "v1.33.0"}, image, "c" * 40))
    assert content == {
        "schema": "cluster-forge/stack/v1",
        "name": "demo",
        "version": "v-1",
        "target": {"kubernetes": "v1.33.0"},
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
        "image": {"digest": str(Digest.of(b"image")), "platforms": ["linux/amd64"], "size": 12},
        "git": {"commit": "c" * 40},
        "findings": {"error": 0, "warning": 3},
    }


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("tool",), 5),
        (("findings", "error"), "1"),
        (("parts", 0, "wave"), True),
        (("parts", 0, "version"), None),
        (("parts", 0, "objects", 0, "path"), ["x"]),
        (("parts", 0, "objects", 0, "weight"), 1.5),
        (("parts", 0, "objects", 0, "id"), [1, 2, 3, 4]),
        (("parts", 0, "objects", 0, "images"), [None]),
    ],
)
def test_a_record_of_other_types_is_damaged(place: tuple[Any, ...], value: object) -> None:
    written = json.loads(RECORD.to_json())
    inner = written
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(StaleError, match=r"cannot be read: .* is no (text|whole number)"):
        Record.from_json(json.dumps(written).encode())
