"""Files that the tool wrote earlier and reads again: the lock, and the record of a smelted stack."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from tests.fuzz import texts
from tests.fuzz.target import Target
from tests.fuzz.texts import ANY, SCALARS, WORDS, mapping, several, spoiled

from cluster_forge.foundation.errors import LockError, StaleError
from cluster_forge.record import Record
from cluster_forge.stack import lock_file

_HEX = "0123456789abcdef" * 4


def _lock(data: bytes) -> None:
    lock = lock_file.parse(data.decode(errors="replace"))
    assert lock_file.parse(lock_file.emit(lock)) == lock


_DIGESTS = st.sampled_from((f"sha256:{_HEX}", _HEX, f"md5:{_HEX}", ""))
_SOURCE = mapping({"address": SCALARS, "digest": _DIGESTS}, {"asked": SCALARS, "version": SCALARS})
_LOCKED = mapping(
    {}, {"rendered": _DIGESTS, "asks": several(WORDS), "remarks": several(WORDS), "sources": several(_SOURCE)}
)
_LOCKS = mapping({"version": st.just(1), "components": st.dictionaries(WORDS, spoiled(_LOCKED), max_size=3)})

LOCK = Target(
    name="lock",
    read=_lock,
    refusals=(LockError,),
    seeds=(
        f"""version: 1
components:
  shop:
    rendered: sha256:{_HEX}
    asks: [policy/v1, "*"]
    sources:
    - address: https://charts.example.com shop
      asked: ^1.2
      version: 1.2.3
      digest: sha256:{_HEX}

  web: {{}}
""".encode(),
        b"version: 1\ncomponents: {}\n",
    ),
    inputs=texts.written(spoiled(_LOCKS)),
    odd=texts.ODD_YAML,
    hostile=texts.hostile_yaml,
)


def _record(data: bytes) -> None:
    record = Record.from_json(data)
    assert Record.from_json(record.to_json()) == record
    for part in record.parts:
        for item in part.objects:
            assert item.path + item.hook + item.id.file_name + "".join(item.images) is not None
            counts = record.findings
            assert item.hook_weight + part.wave + counts.error + counts.warning is not None


_OBJECTS = mapping(
    {
        "path": WORDS,
        "id": st.lists(WORDS, min_size=3, max_size=5),
        "sha256": _DIGESTS,
        "images": several(WORDS),
        "hook": WORDS,
        "weight": st.integers(),
    }
)
_PARTS = mapping(
    {
        "name": WORDS,
        "namespace": WORDS,
        "wave": st.integers(),
        "needs": several(WORDS),
        "version": WORDS,
        "source": WORDS,
        "digest": WORDS,
        "objects": several(_OBJECTS),
    }
)
_FINDINGS = mapping(
    {
        "code": WORDS,
        "severity": WORDS,
        "message": WORDS,
        "component": WORDS,
        "object": st.none() | st.lists(WORDS, min_size=3, max_size=5),
        "where": WORDS,
        "fix": WORDS,
    }
)
_RECORDS = mapping(
    {
        "schema": st.just("cluster-forge/smelt/v1"),
        "tool": WORDS,
        "stack": WORDS,
        "folder": WORDS,
        "inputs": _DIGESTS,
        "revision": WORDS,
        "findings": mapping({"error": st.integers(), "warning": st.integers()}),
        "found": several(_FINDINGS),
        "parts": several(_PARTS),
        "files": st.dictionaries(WORDS, _DIGESTS, max_size=3),
    }
)
_VALID = {
    "schema": "cluster-forge/smelt/v1",
    "tool": "0.1.0",
    "stack": "s",
    "folder": "s.production",
    "inputs": f"sha256:{_HEX}",
    "revision": "r",
    "findings": {"error": 0, "warning": 1},
    "found": [],
    "files": {"web/a.yaml": _HEX},
    "parts": [
        {
            "name": "web",
            "namespace": "web",
            "wave": 1,
            "needs": ["db"],
            "version": "1",
            "source": "s",
            "digest": "d",
            "objects": [
                {
                    "path": "web/a.yaml",
                    "id": ["apps", "Deployment", "web", "a"],
                    "sha256": _HEX,
                    "images": ["nginx:1"],
                    "hook": "",
                    "weight": 0,
                }
            ],
        }
    ],
}

RECORD = Target(
    name="record",
    read=_record,
    refusals=(StaleError,),
    seeds=(json.dumps(_VALID).encode(), json.dumps(_VALID, indent=1).encode()),
    inputs=spoiled(_RECORDS | ANY).map(lambda tree: json.dumps(tree).encode()),
    hostile=lambda: (
        ("deep", b"[" * 1_000_000),
        ("a-huge-number", b'{"schema": 1' + b"0" * 1_000_000 + b"}"),
        ("huge-text", b'{"schema": "' + b"x" * 20_000_000 + b'"}'),
    ),
    share=0.7,
)
