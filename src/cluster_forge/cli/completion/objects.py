"""The objects of `working/` for TAB: from the record that smelt wrote there, which is not validated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from cluster_forge.manifests.identity import ObjectId
from cluster_forge.record import RECORD

_LARGEST: Final = 64 * 2**20
"""Bytes of a file that is read."""


def smelted(workspace: Path) -> Iterator[str]:
    """Every object that smelt wrote."""
    yield from _objects(_record(workspace)).values()


def edited(workspace: Path) -> Iterator[str]:
    """What was edited by hand: changed and removed objects, and the files of added ones."""
    record = _record(workspace)
    objects, digests = _objects(record), record["files"]
    folder = workspace / Path(RECORD).parent
    for path, digest in digests.items():
        if _digest(folder / path) != digest:
            yield objects.get(path, path)
    names = {path.partition("/")[0] for path in digests}
    present = (str(file.relative_to(folder)) for name in names for file in sorted((folder / name).glob("*.yaml")))
    yield from (path for path in present if path not in digests)


def _record(workspace: Path) -> Mapping[str, Any]:
    return orjson.loads(_content(workspace / RECORD) or b'{"parts": [], "files": {}}')  # type: ignore[no-any-return]


def _objects(record: Mapping[str, Any]) -> dict[str, str]:
    """The objects by their files."""
    return {
        known["path"]: str(ObjectId(**dict(zip(("group", "kind", "namespace", "name"), known["id"], strict=True))))
        for part in record["parts"]
        for known in part["objects"]
    }


def _digest(file: Path) -> str:
    content = _content(file)
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _content(file: Path) -> bytes | None:
    """None for what is not there, or is not a file of a usual size."""
    return file.read_bytes() if file.is_file() and file.stat().st_size <= _LARGEST else None
