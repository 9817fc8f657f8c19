"""What smelt wrote, kept aside: the base of hand edits, from which their changes and those of the next smelt start.

One entry for each folder of `working/`, whose key follows from the digests of its files: a folder that did not change is not
kept twice. An entry may be lost, since a store is cleaned and a workspace moves to another machine; then the files are known
only if smelt makes them again (`made_again`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from cluster_forge.foundation.digest import Digest
from cluster_forge.ports.storage import Cache
from cluster_forge.record import Record

KIND: Final = "bases"
_LEVEL: Final = 1
_LENGTH: Final = 8
"""Bytes of the length of the header: of each file its path and size, as JSON."""


def keep(files: Mapping[str, bytes], record: Record, bases: Cache) -> None:
    """Keep the files that smelt writes with ``record``, unless they are kept already."""
    for digests in _folders(record.files).values():
        key = _key(digests)
        if bases.get(KIND, key) is None:
            bases.put(KIND, key, _packed({path: files[path] for path in digests}))


def find(record: Record, paths: Iterable[str], bases: Cache) -> dict[str, bytes]:
    """The files of ``record`` at these paths, without those that are lost."""
    folders = _folders(record.files)
    files: dict[str, bytes] = {}
    by_folder = defaultdict(list)
    for path in paths:
        by_folder[_folder(path)].append(path)
    for folder, wanted in by_folder.items():
        content = bases.get(KIND, _key(folders[folder])) if folder in folders else None
        kept = _unpacked(content) if content is not None else {}
        files.update({path: kept[path] for path in wanted if path in kept})
    return files


def made_again(record: Record, files: Mapping[str, bytes], paths: Iterable[str]) -> dict[str, bytes]:
    """Those of ``files``, of another smelt, that are what smelt wrote with ``record``."""
    return {path: files[path] for path in paths if path in files and record.files.get(path) == Digest.of(files[path])}


def _folders(files: Mapping[str, Digest]) -> dict[str, dict[str, Digest]]:
    """The files by the folder at the top."""
    folders: dict[str, dict[str, Digest]] = defaultdict(dict)
    for path, digest in files.items():
        folders[_folder(path)][path] = digest
    return folders


def _folder(path: str) -> str:
    return path.partition("/")[0]


def _key(digests: Mapping[str, Digest]) -> Digest:
    return Digest.of("".join(f"{digest.hex} {path}\n" for path, digest in digests.items()).encode())


def _packed(files: Mapping[str, bytes]) -> bytes:
    import zstandard  # noqa: PLC0415 - 0.01 s, and mostly nothing is kept or looked for

    header = orjson.dumps([(path, len(content)) for path, content in files.items()])
    content = b"".join((len(header).to_bytes(_LENGTH, "little"), header, *files.values()))
    return zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True).compress(content)


def _unpacked(packed: bytes) -> dict[str, bytes]:
    import zstandard  # noqa: PLC0415 - the same

    content = zstandard.ZstdDecompressor().decompress(packed)
    start = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    files = {}
    for path, size in orjson.loads(content[_LENGTH:start]):
        files[path] = content[start : start + size]
        start += size
    return files
